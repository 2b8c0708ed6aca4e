import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { type Entry, type Grant, type List, callsOf } from './testing/operator.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let weir: Weir
let upstream: Upstream

/** An answer of ten words costs a tenth of a credit; what is asked is free. */
const exact = { price: { input: 0, output: 10, per: 1_000 }, max_output_tokens: 10 }
const TEN = { prompt: 1, completion: 10 }

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({ config: catalogueOf({ exact: openai(upstream) }, { exact }) })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** A customer, and the operator's calls for that account. */
async function accountWith(credits: number) {
  const customer = await customerOf(weir, { credits })
  const admin = callsOf(weir)
  const at = (path: string) => `accounts/${customer.accountId}/${path}`
  return {
    ...customer,
    admin,
    at,
    ask: () => customer.client.chat.completions.create(asking('exact')),
    /** Asks and is answered at the full price. */
    async asked() {
      const [{ id }] = await Promise.all([
        customer.client.chat.completions.create(asking('exact')),
        upstream.nextCall().then((call) => (call.say('Water.'), call.finish(TEN))),
      ])
      return id
    },
    latest: async () => (await admin.get<List<Entry>>(at('entries?limit=1'))).body.data[0],
  }
}

test('an adjustment upwards gives, one downwards takes what is available, and both are explained in the books', async () => {
  const { admin, at, credits, latest } = await accountWith(1)

  const up = await admin.post(at('adjustments'), { credits: '0.5', reason: 'goodwill', reference: 'case 1' })
  expect(up).toMatchObject({
    status: 201,
    body: { object: 'action', kind: 'adjust', credits: 0.5, reference: 'case 1', actor: 'admin', reason: 'goodwill' },
  })
  expect(await latest()).toMatchObject({
    kind: 'adjustment',
    credits: 0.5,
    action_id: up.body['id'],
    reason: 'goodwill',
  })

  const down = await admin.post(at('adjustments'), { credits: -0.25, reason: 'twice booked' })
  expect(down).toMatchObject({ status: 201, body: { kind: 'adjust', credits: -0.25, grant_id: null } })
  expect(await credits()).toEqual({ balance: 1.25, reserved: 0, available: 1.25 })

  const again = await admin.post(at('adjustments'), { credits: 0.5, reason: 'goodwill', reference: 'case 1' })
  const other = await admin.post(at('adjustments'), { credits: 0.7, reason: 'goodwill', reference: 'case 1' })
  const tooMuch = await admin.post(at('adjustments'), { credits: -1.250001, reason: 'too much' })
  expect(again).toMatchObject({ status: 200, body: up.body })
  expect(other).toMatchObject({ status: 400, body: { error: { param: 'reference' } } })
  const why = await admin.post(at('adjustments'), { credits: 0.5, reason: 'good will', reference: 'case 1' })
  const before = "The reference 'case 1' was used before: adjust of 0.5 credits, for the reason 'goodwill'."
  expect(why).toMatchObject({ status: 400, body: { error: { param: 'reference', message: before } } })
  expect(tooMuch).toMatchObject({ status: 400, body: { error: { param: 'credits' } } })
  expect(tooMuch.body['error']).toMatchObject({
    message: 'Only 1.25 credits can be taken: the account has no more.',
  })
  expect((await credits()).balance).toBe(1.25)
})

test('what running completions have reserved cannot be taken by an adjustment', async () => {
  const { ask, admin, at, credits } = await accountWith(0.15)
  const answer = ask()
  const call = await upstream.nextCall()

  const taken = await admin.post(at('adjustments'), { credits: -0.1, reason: 'too much' })

  expect(taken).toMatchObject({ status: 400, body: { error: { param: 'credits' } } })
  expect(taken.body['error']).toMatchObject({ message: 'Only 0.05 credits can be taken: 0.1 are reserved.' })
  call.say('Water.')
  call.finish(TEN)
  await answer
  expect(await credits()).toEqual({ balance: 0.05, reserved: 0, available: 0.05 })
})

test('a completion is refunded, in parts or all that is left, and never more than it was charged', async () => {
  const { admin, at, asked, credits, latest } = await accountWith(1)
  const id = await asked()
  const refund = (more: object) => admin.post(at('refunds'), { completion_id: id, reason: 'bad answer', ...more })

  expect(await refund({ credits: 0.03, reference: 'r1' })).toMatchObject({
    status: 201,
    body: { kind: 'refund', credits: 0.03, completion_id: id },
  })
  expect(await refund({ credits: 0.03, reference: 'r1' })).toMatchObject({ status: 200, body: { credits: 0.03 } })
  expect(await refund({ credits: 0.08 })).toMatchObject({ status: 400, body: { error: { param: 'credits' } } })
  expect(await refund({})).toMatchObject({ status: 201, body: { credits: 0.07 } })
  expect(await refund({})).toMatchObject({
    status: 400,
    body: { error: { param: 'completion_id', message: 'All that it was charged has been given back.' } },
  })

  expect(await credits()).toEqual({ balance: 1, reserved: 0, available: 1 })
  expect(await latest()).toMatchObject({ kind: 'refund', credits: 0.07, reason: 'bad answer', completion_id: id })
  const ofOne = (await admin.get<List<Entry>>(at(`entries?completion_id=${id}`))).body.data
  expect(ofOne.map(({ kind, credits }) => [kind, credits])).toEqual([
    ['refund', 0.07],
    ['refund', 0.03],
    ['charge', -0.1],
  ])
})

test('a revoked grant is gone at once, and cannot be revoked again', async () => {
  const { admin, at, ask, credits } = await accountWith(1)
  const [grant] = (await admin.get<List<Grant>>(at('grants'))).body.data
  const revoke = () => admin.post(at(`grants/${grant!.id}/revoke`), { reason: 'chargeback' })

  const revoked = await revoke()

  expect(revoked).toMatchObject({ status: 200, body: { kind: 'revoke', credits: -1, grant_id: grant!.id } })
  expect(await credits()).toEqual({ balance: 0, reserved: 0, available: 0 })
  expect(await refusalOf(ask())).toMatchObject({ status: 402, code: 'credit_balance_exhausted' })
  expect(await revoke()).toMatchObject({ status: 400, body: { error: { param: 'grant_id' } } })
  const [after] = (await admin.get<List<Grant>>(at('grants'))).body.data
  expect(after).toMatchObject({ id: grant!.id, balance: 0, revoked_at: expect.any(String) })
})

test('a grant that is revoked while a completion runs still pays for it', async () => {
  const { admin, at, ask, charges } = await accountWith(1)
  const [grant] = (await admin.get<List<Grant>>(at('grants'))).body.data
  const answer = ask()
  const call = await upstream.nextCall()

  await admin.post(at(`grants/${grant!.id}/revoke`), { reason: 'chargeback' })
  call.say('Water.')
  call.finish(TEN)

  expect(plainTextOf(await answer)).toBe('Water.')
  expect(await charges()).toEqual([0.1])
  expect(await refusalOf(ask())).toMatchObject({ status: 402 })
})

test('a frozen account starts nothing new, finishes what runs, and works again when it is thawed', async () => {
  const { admin, at, ask, asked, accountId, charges } = await accountWith(1)
  const answer = ask()
  const call = await upstream.nextCall()

  const frozen = await admin.post(at('freeze'), { reason: 'fraud' })

  expect(frozen).toMatchObject({ status: 200, body: { id: accountId, frozen: true, shortage: 'refuse' } })
  expect(await refusalOf(ask())).toMatchObject({ status: 403, code: 'account_frozen' })
  call.say('Water.')
  call.finish(TEN)
  await answer
  expect(await charges()).toEqual([0.1])

  expect(await admin.post(at('unfreeze'), { reason: 'cleared' })).toMatchObject({ body: { frozen: false } })
  await asked()
  expect((await admin.get(`accounts/${accountId}`)).body).toMatchObject({ frozen: false, credits: { balance: 0.8 } })
})

test('everything that was done to an account by hand is listed, newest first, page by page', async () => {
  const { admin, at } = await accountWith(1)
  await admin.post(at('adjustments'), { credits: 0.5, reason: 'goodwill' })
  await admin.post(at('freeze'), { reason: 'fraud' })
  await admin.post(at('freeze'), { reason: 'fraud, again' })
  await admin.post(at('unfreeze'), { reason: 'cleared' })
  type Action = { id: string; kind: string; reason: string | null; credits: number }

  const { data } = (await admin.get<List<Action>>(at('actions'))).body
  const first = (await admin.get<List<Action>>(at('actions?limit=3'))).body
  const rest = (await admin.get<List<Action>>(at(`actions?after=${first.last_id}`))).body

  expect(data.map(({ kind, reason, credits }) => [kind, reason, credits])).toEqual([
    ['unfreeze', 'cleared', 0],
    ['freeze', 'fraud', 0],
    ['adjust', 'goodwill', 0.5],
    ['grant', null, 1],
  ])
  expect([...first.data, ...rest.data]).toEqual(data)
  expect([first.has_more, rest.has_more]).toEqual([true, false])
})

test('what belongs to another account, or to none, is not there', async () => {
  const [ours, theirs] = await Promise.all([accountWith(1), accountWith(1)])
  const id = await theirs.asked()
  const [grant] = (await theirs.admin.get<List<Grant>>(theirs.at('grants'))).body.data
  const { admin, at } = ours
  const reason = 'mistaken'

  const refund = await admin.post(at('refunds'), { completion_id: id, reason })
  const revoke = await admin.post(at(`grants/${grant!.id}/revoke`), { reason })
  const entries = await admin.get(at(`entries?completion_id=${id}`))

  expect(refund).toMatchObject({ status: 404, body: { error: { code: 'not_found', param: 'completion_id' } } })
  expect(revoke).toMatchObject({ status: 404, body: { error: { code: 'not_found', param: 'grant_id' } } })
  expect(entries).toMatchObject({ status: 404, body: { error: { param: 'completion_id' } } })
  expect(await theirs.credits()).toMatchObject({ balance: 0.9 })
})
