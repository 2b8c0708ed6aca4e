import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, clientOf, customerOf } from './testing/customer.ts'
import { expectShortRetryAfter, refusalOf } from './testing/failure.ts'
import { type Calls, callsOf, keyIdOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

/** What has a token for each of its bytes. */
const RIVERS = '河'.repeat(1_000)

let echo: Upstream
let held: Upstream
let weir: Weir
let admin: Calls

beforeAll(async () => {
  echo = await openUpstream((call) => {
    call.say('Water is lazy.')
    call.finish({ prompt: call.prompt === RIVERS ? 3_000 : 7, completion: 3 })
  })
  held = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ echo: openai(echo), held: openai(held) }),
    apiEnv: { WEIR_KEY_CACHE_MS: '1', WEIR_TOKENS_PER_MINUTE: '1000000' },
  })
  admin = callsOf(weir)
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await echo?.[Symbol.asyncDispose]()
  await held?.[Symbol.asyncDispose]()
})

const short = { ...asking('echo'), max_completion_tokens: 100 }

async function limited(limits: object, keyLimits?: object) {
  const customer = await customerOf(weir)
  const keyId = await keyIdOf(admin, customer.accountId)
  await admin.put(`accounts/${customer.accountId}/rate-limits`, limits)
  if (keyLimits) await admin.put(`accounts/${customer.accountId}/keys/${keyId}/rate-limits`, keyLimits)
  return { ...customer, keyId, calls: callsOf(weir, customer.apiKey) }
}

const rateHeadersOf = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => name.includes('ratelimit')))

test('every answer tells what is left of its rates: a plain one, a streamed one and a refusal', async () => {
  const { apiKey } = await limited({ requests_per_minute: 2, tokens_per_minute: 10_000 })
  const ask = (body: object) =>
    fetch(`${weir.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  const [plain, streamed, refused] = [await ask(short), await ask({ ...short, stream: true }), await ask(short)]
  await Promise.all([plain.text(), streamed.text()])

  expect([plain.status, streamed.status, refused.status]).toEqual([200, 200, 429])
  const left = [plain, streamed, refused].map(({ headers }) => rateHeadersOf(headers))
  expect(left.map((headers) => headers['x-ratelimit-remaining-requests'])).toEqual(['1', '0', '0'])
  for (const headers of left) {
    expect(headers).toEqual({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-limit-tokens': '10000',
      'x-ratelimit-remaining-requests': expect.stringMatching(/^\d+$/),
      'x-ratelimit-remaining-tokens': expect.stringMatching(/^9\d{3}$/),
      'x-ratelimit-reset-requests': expect.stringMatching(/^(\d+m)?[\d.]+m?s$/),
      'x-ratelimit-reset-tokens': expect.stringMatching(/^[\d.]+m?s$/),
    })
  }
})

test("a client of Anthropic's is told in the names that it knows", async () => {
  const { apiKey } = await limited({ requests_per_minute: 10 })
  const client = clientOf(apiKey, weir.url, { defaultHeaders: { 'anthropic-version': '2023-06-01' } })

  const { response } = await client.chat.completions.create(short).withResponse()

  expect(rateHeadersOf(response.headers)).toMatchObject({
    'anthropic-ratelimit-requests-limit': '10',
    'anthropic-ratelimit-requests-remaining': '9',
    'anthropic-ratelimit-requests-reset': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    'x-ratelimit-remaining-requests': '9',
  })
})

test('who has made all requests of a minute is told which limit it is and for how long', async () => {
  const { client } = await limited({}, { requests_per_minute: 3 })
  for (let i = 0; i < 3; i++) await client.chat.completions.create(short)

  const refusal = await refusalOf(client.chat.completions.create(short))

  expect(refusal).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
  expect(refusal.message).toContain('this API key may make 3 requests per minute')
  expect(refusal.error).toMatchObject({ limit: { scope: 'key', name: 'requests_per_minute', value: 3 } })
  expectShortRetryAfter(refusal)
  expect(Number(refusal.headers?.get('retry-after-ms'))).toBeLessThanOrEqual(20_000)
})

test('tokens that were reserved and not used come back when the completion has ended', async () => {
  const { calls } = await limited({ tokens_per_minute: 60_000 })
  const large = { ...asking('echo'), max_completion_tokens: 1_000 }

  await calls.post('chat/completions', large)

  // Ten were used: what is missing from the next one's standing is what it reserves itself.
  await expect
    .poll(async () => {
      const { headers } = await calls.post('chat/completions', { ...short, max_completion_tokens: 1 })
      return Number(headers.get('x-ratelimit-remaining-tokens'))
    }, patiently)
    .toBeGreaterThan(59_500)
})

test('tokens that were used beyond the estimate are taken when the completion has ended', async () => {
  const { calls } = await limited({ tokens_per_minute: 6_000 })

  await calls.post('chat/completions', { ...asking('echo', RIVERS), max_completion_tokens: 10 })

  // Half a minute's tokens are gone, where a quarter of that was reserved.
  await expect
    .poll(async () => {
      const { headers } = await calls.post('chat/completions', { ...short, max_completion_tokens: 1 })
      return Number(headers.get('x-ratelimit-remaining-tokens'))
    }, patiently)
    .toBeLessThan(4_500)
})

test('a request that is larger than a minute of tokens is not asked to wait', async () => {
  const { client, entries } = await limited({ tokens_per_minute: 500 })
  const before = await entries()

  const refusal = await refusalOf(client.chat.completions.create({ ...short, max_completion_tokens: 500 }))

  expect(refusal).toMatchObject({ status: 413, code: 'request_too_large' })
  expect(refusal.error).toMatchObject({ limit: { scope: 'account', name: 'tokens_per_minute', value: 500 } })
  expect(await entries()).toEqual(before)
})

test('a completion that a worker has begun is not queued any more', async () => {
  const { client, accountId, keyId } = await limited({ queued: 1 })
  const first = client.chat.completions.create(asking('held'))
  const call = await held.nextCall()

  const second = client.chat.completions.create(asking('held'))
  const next = await held.nextCall()
  await admin.put(`accounts/${accountId}/rate-limits`, { concurrent: 2 })
  const refusal = await refusalOf(client.chat.completions.create(short))

  expect(refusal.error).toMatchObject({ limit: { scope: 'account', name: 'concurrent', value: 2 } })
  expect(keyId).toMatch(/^key_/)
  call.finish()
  next.finish()
  await Promise.all([first, second])
})

test('limits are shown, changed and taken away, of an account and of a key', async () => {
  const { accountId, keyId, client } = await limited({ concurrent: 5, tokens_per_minute: 1 }, { queued: 3 })
  const [ofAccount, ofKey] = [`accounts/${accountId}/rate-limits`, `accounts/${accountId}/keys/${keyId}/rate-limits`]
  const none = { concurrent: null, queued: null, requests_per_minute: null, tokens_per_minute: null }

  expect((await admin.get(ofAccount)).body).toEqual({
    ...none,
    object: 'rate_limits',
    account_id: accountId,
    key_id: null,
    concurrent: 5,
    tokens_per_minute: 1,
  })
  expect((await admin.get(ofKey)).body).toMatchObject({ ...none, key_id: keyId, queued: 3 })
  expect((await admin.put(ofAccount, { concurrent: null })).body).toMatchObject({ ...none, tokens_per_minute: 1 })
  expect((await refusalOf(client.chat.completions.create(short))).status).toBe(413)
  const connection = { method: 'DELETE', headers: { authorization: `Bearer ${weir.adminKey}` } }
  expect(await (await fetch(`${weir.url}/admin/v1/${ofAccount}`, connection)).json()).toMatchObject(none)

  const { response } = await client.chat.completions.create(short).withResponse()
  // What the setting says.
  expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('1000000')
})

test.each([{ concurrent: 0 }, { queued: 1.5 }, { requests_per_minute: '60' }, { tokens: 5 }])(
  'the limits %j are refused',
  async (limits) => {
    const { accountId } = await weir.createAccount()
    expect((await admin.put(`accounts/${accountId}/rate-limits`, limits)).status).toBe(400)
  },
)

test('nobody has limits that does not exist', async () => {
  const [mine, theirs] = [await limited({}), await limited({})]
  const nobody = mine.accountId.slice(0, -4) + '0000'

  expect((await admin.put(`accounts/${nobody}/rate-limits`, { queued: 1 })).status).toBe(404)
  expect((await admin.put(`accounts/${mine.accountId}/keys/${theirs.keyId}/rate-limits`, { queued: 1 })).status).toBe(
    404,
  )
})
