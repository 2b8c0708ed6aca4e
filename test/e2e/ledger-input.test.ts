import { newAccountId, newGrantId, newKeyId } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { customerOf } from './testing/customer.ts'
import { type Grant, callsOf, keyIdOf } from './testing/operator.ts'

let weir: Weir
let accountId: string
let apiKey: string
beforeAll(async () => {
  const apiEnv = { WEIR_MAX_OPEN_GRANTS: '3', WEIR_BODY_LIMIT_BYTES: '20000' }
  weir = await openWeir({ config: catalogueOf({ quick }), workers: 0, apiEnv })
  ;({ accountId, apiKey } = await customerOf(weir, { credits: 1 }))
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const grant = { credits: 1, kind: 'purchased' }
const because = { reason: 'because' }

test.each([
  ['grants', { ...grant, credits: 0 }, 'credits'],
  ['grants', { ...grant, credits: -1 }, 'credits'],
  ['grants', { ...grant, credits: 0.0000001 }, 'credits'],
  ['grants', { ...grant, credits: 1_000_000_000.1 }, 'credits'],
  ['grants', { ...grant, credits: '1e3' }, 'credits'],
  ['grants', { ...grant, credits: null }, 'credits'],
  ['grants', { kind: 'purchased' }, 'credits'],
  ['grants', { ...grant, kind: 'gift' }, 'kind'],
  ['grants', { ...grant, priority: -1 }, 'priority'],
  ['grants', { ...grant, priority: 32_768 }, 'priority'],
  ['grants', { ...grant, priority: 1.5 }, 'priority'],
  ['grants', { ...grant, expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  ['grants', { ...grant, expires_at: '2026-02-30' }, 'expires_at'],
  ['grants', { ...grant, expires_at: '9999-12-31T23:00:00-05:00' }, 'expires_at'],
  ['grants', { ...grant, expires_at: 1_900_000_000 }, 'expires_at'],
  ['grants', { ...grant, reference: '' }, 'reference'],
  ['grants', { ...grant, reference: 'x'.repeat(201) }, 'reference'],
  ['grants', { ...grant, reference: 'a\0b' }, 'reference'],
  ['grants', { ...grant, reference: '\ud800' }, 'reference'],
  ['grants', { ...grant, expires: '2030-01-01' }, 'expires'],
  ['adjustments', { ...because, credits: 0 }, 'credits'],
  ['adjustments', { ...because, credits: '-0' }, 'credits'],
  ['adjustments', { ...because, credits: '--1' }, 'credits'],
  ['adjustments', { ...because, credits: -1_000_000_001 }, 'credits'],
  ['adjustments', { credits: 1 }, 'reason'],
  ['adjustments', { credits: 1, reason: '  ' }, 'reason'],
  ['adjustments', { credits: 1, reason: 'x'.repeat(501) }, 'reason'],
  ['adjustments', { credits: 1, reason: 'a\0b' }, 'reason'],
  ['adjustments', { ...because, credits: -0.1, kind: 'purchased' }, 'kind'],
  ['adjustments', { ...because, credits: -0.1, priority: 1 }, 'priority'],
  ['adjustments', { ...because, credits: -0.1, expires_at: '2090-01-01' }, 'expires_at'],
  ['adjustments', { ...because, credits: 1, expires_at: '2020-01-01' }, 'expires_at'],
  ['refunds', because, 'completion_id'],
  ['refunds', { ...because, completion_id: 'chatcmpl_1' }, 'completion_id'],
  ['refunds', { ...because, completion_id: 'chatcmpl_01m7yayy6eecs8trngqnd2efjw', credits: 0 }, 'credits'],
  ['freeze', {}, 'reason'],
  ['unfreeze', { reason: 7 }, 'reason'],
])('POST …/%s of %j is refused and says where', async (path, body, param) => {
  const answer = await callsOf(weir).post(`accounts/${accountId}/${path}`, body)

  expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
  expect((await callsOf(weir).get(`accounts/${accountId}`)).body).toMatchObject({ credits: { balance: 1 } })
})

test.each([
  ['usage?bucket=week', 'bucket'],
  ['usage?from=2026-01-02&to=2026-01-01', 'from'],
  ['usage?from=0000-01-01', 'from'],
  ['usage?to=2026-13-01', 'to'],
  ['usage?group_by=model,user', 'group_by'],
  ['usage?group_by=model,key,key', 'group_by'],
  ['usage?limit=1e2', 'limit'],
  ['usage?model=', 'model'],
  ['usage?model=%00', 'model'],
  ['usage?key_id=key_1', 'key_id'],
  ['usage?limit=10001', 'limit'],
  ['usage?after=eyJ9', 'after'],
  [`usage?after=${Buffer.from('["2026-01-01","a\\u0000",null]').toString('base64url')}`, 'after'],
  ['usage?until=2026-01-01', 'until'],
  ['credits/entries?limit=0', 'limit'],
  ['credits/entries?limit=0x10', 'limit'],
  ['credits/entries?limit=%2010', 'limit'],
  ['credits/entries?after=1e1', 'after'],
  ['credits/entries?limit=1001', 'limit'],
  ['credits/entries?after=0', 'after'],
  ['credits/entries?after=9007199254740993', 'after'],
  ['credits/entries?completion_id=chatcmpl_1', 'completion_id'],
  ['credits/entries?kind=charge', 'kind'],
  ['credits?limit=1', 'limit'],
  ['models?limit=1', 'limit'],
  ['models/quick?price=1', 'price'],
  ['chat/completions/chatcmpl_01m7yayy6eecs8trngqnd2efjw/receipt?format=pdf', 'format'],
])('GET /v1/%s is refused and says where', async (path, param) => {
  const answer = await callsOf(weir, apiKey).get(path)

  expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
})

test.each([
  ['accounts?page=2', 'page'],
  ['accounts?limit=1e2', 'limit'],
  ['accounts/{id}?full=1', 'full'],
  ['accounts/{id}/keys/{key}/limits?period=day', 'period'],
  ['prices?model=quick', 'model'],
  ['ledger/check?account=acct_1', 'account'],
  ['ledger/check?account_id=acct_01m7yayy6eecs8trngqnd2efjw', 'account_id'],
  ['accounts/{id}/keys/key_1/limits', 'key_id'],
])('GET /admin/v1/%s is refused and says where', async (path, param) => {
  const admin = callsOf(weir)
  const key = await keyIdOf(admin, accountId)

  const answer = await admin.get(path.replace('{id}', accountId).replace('{key}', key))

  expect(answer).toMatchObject({ status: expect.toBeOneOf([400, 404]), body: { error: { param } } })
})

test('what is too large is told how large it may be', async () => {
  const answer = await callsOf(weir).post('accounts', { name: 'x'.repeat(20_000) })

  expect(answer).toMatchObject({
    status: 413,
    body: { error: { message: 'The request body is too large: it may have 20000 bytes.' } },
  })
})

test.each([
  ['accounts', { name: '' }, "Invalid 'name': must not be empty."],
  ['accounts/{id}/grants', { ...grant, expires_at: '2020-01-01' }, "'expires_at' must lie in the future."],
  ['accounts/{id}/adjustments', { ...because, credits: -5 }, 'Only 1 credits can be taken: the account has no more.'],
])('POST %s of %j is refused in words that say what is wrong', async (path, body, message) => {
  const answer = await callsOf(weir).post(path.replace('{id}', accountId), body)

  expect(answer.body['error']).toMatchObject({ message })
})

test('what names an account that does not exist is not found', async () => {
  const { get, post, put, patch } = callsOf(weir)
  const at = `accounts/${newAccountId()}`

  const answers = await Promise.all([
    get(at),
    patch(at, { shortage: 'clamp' }),
    ...['grants', 'entries', 'usage', 'actions', 'statement'].map((path) => get(`${at}/${path}`)),
    post(`${at}/grants`, grant),
    post(`${at}/grants/${newGrantId()}/revoke`, because),
    post(`${at}/adjustments`, { ...because, credits: 1 }),
    post(`${at}/refunds`, { ...because, completion_id: 'chatcmpl_01m7yayy6eecs8trngqnd2efjw' }),
    post(`${at}/freeze`, because),
    post(`${at}/unfreeze`, because),
    put(`${at}/keys/${newKeyId()}/limits`, { day: 1 }),
    get(`ledger/check?account_id=${newAccountId()}`),
  ])

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404))
  expect(answers.map(({ body }) => (body['error'] as { code: string }).code)).toEqual(answers.map(() => 'not_found'))
})

test.each([
  [{ day: -1 }, 'day'],
  [{ month: 'much' }, 'month'],
  [{ total: 1e-7 }, 'total'],
  [{ week: 1 }, 'week'],
])('the limits %j are refused and say where', async (limits, param) => {
  const admin = callsOf(weir)

  const answer = await admin.put(`accounts/${accountId}/keys/${await keyIdOf(admin, accountId)}/limits`, limits)

  expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
})

test('an account has only so many grants that hold credits', async () => {
  const { accountId } = await customerOf(weir, { credits: 0 })
  const give = () => callsOf(weir).post<Grant>(`accounts/${accountId}/grants`, grant)

  const statuses = [await give(), await give(), await give()].map(({ status }) => status)

  expect(statuses).toEqual([201, 201, 201])
  const message = expect.stringMatching(/has 3 grants .* \(WEIR_MAX_OPEN_GRANTS\)/)
  expect(await give()).toMatchObject({ status: 400, body: { error: { param: 'id', message } } })
})

test('an account that was never given credits is thawed, clamped and looked at like any other', async () => {
  const { accountId } = await customerOf(weir, { credits: 0 })
  const { post, patch, get } = callsOf(weir)

  expect(await post(`accounts/${accountId}/unfreeze`, because)).toMatchObject({ status: 200, body: { frozen: false } })
  expect(await patch(`accounts/${accountId}`, { shortage: 'clamp' })).toMatchObject({ body: { shortage: 'clamp' } })
  expect((await get(`accounts/${accountId}`)).body).toMatchObject({ credits: { balance: 0, available: 0 } })
})
