import { connect } from 'node:net'
import { openWeir, type Weir } from '@weir/local/testing'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, quick } from './testing/catalogue.ts'
import { type Customer, asking, customerOf, revokeKeysOf, statusOf } from './testing/customer.ts'
import { expectShortRetryAfter, refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'

let weir: Weir
let customer: Customer

beforeAll(async () => {
  weir = await openWeir({
    config: catalogueOf({ quick, hanging, blinking: quick }, { blinking: { images: { max: 1 } } }),
    apiEnv: { WEIR_BODY_LIMIT_BYTES: '20000', WEIR_MAX_LIVE_PER_ACCOUNT: '1' },
  })
  customer = await customerOf(weir)
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const post = (body: unknown, headers: Record<string, string> = json) =>
  refusalOf(customer.client.post('/chat/completions', { body, headers }))

const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }

test.each([
  [{ ...asking('quick'), temprature: 1 }, 'unknown_parameter', 'temprature'],
  [{ ...asking('quick'), functions: [] }, 'unsupported_parameter', 'functions'],
  [{ ...asking('quick'), temperature: 'warm' }, 'invalid_request', 'temperature'],
  [{ ...asking('quick'), n: 129 }, 'invalid_request', 'n'],
  [{ ...asking('quick'), max_tokens: 5, max_completion_tokens: 6 }, 'invalid_request', 'max_tokens'],
  [{ ...asking('quick'), max_completion_tokens: 1_001 }, 'invalid_request', 'max_completion_tokens'],
  [{ ...asking('quick'), max_tokens: 1_001 }, 'invalid_request', 'max_tokens'],
  [
    { model: 'blinking', messages: [{ role: 'user', content: [image, image] }] },
    'invalid_request',
    'messages[0].content[1]',
  ],
  [{ model: 'quick' }, 'invalid_request', 'messages'],
  [{ model: 'quick', messages: [] }, 'invalid_request', 'messages'],
  [{ model: 'quick', messages: [{ role: 'user', content: 3 }] }, 'invalid_request', 'messages[0].content'],
  [{ model: 'quick', messages: [{ role: 'cook', content: '' }] }, 'invalid_request', 'messages[0].role'],
  [[], 'invalid_request', null],
  ['"text"', 'invalid_request', null],
  ['null', 'invalid_request', null],
  ['{"model": ', 'invalid_request', null],
  ['', 'invalid_request', null],
])('the body %j is a 400 that names what is wrong', async (body, code, param) => {
  const refusal = await post(body)

  expect(refusal).toBeInstanceOf(OpenAI.BadRequestError)
  expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error', code, param })
})

test('what is missing or of another type is told in plain words, in a body as in a query', async () => {
  const wrong = await Promise.all([
    post({ model: 'quick' }),
    post({ ...asking('quick'), temperature: 'warm' }),
    refusalOf(customer.client.get('/chat/completions?order=upwards')),
    refusalOf(customer.client.get(`/chat/completions?metadata[order]=${'7'.repeat(513)}`)),
  ])

  expect(wrong.map(({ error }) => (error as { message: string } | undefined)?.message)).toEqual([
    "Missing required parameter: 'messages'.",
    "Invalid type for 'temperature': expected a number, but got a string instead.",
    "Invalid value for 'order': supported values are 'asc' and 'desc'.",
    "Invalid 'metadata.order': must have at most 512 characters.",
  ])
})

test.each([
  ['none at all', undefined],
  ['another scheme', 'Basic d2VpcjppcyBub3QgZm9yIHlvdQ=='],
  ['something that cannot be a key', 'Bearer sk-proj-1234567890'],
  [
    'a key with a mistyped letter',
    (key: string) => `Bearer ${key.slice(0, -7)}${key.at(-7) === 'a' ? 'b' : 'a'}${key.slice(-6)}`,
  ],
  ['a key of nobody', 'Bearer weir_sk_0000000000000000000000000000000000GOKd'],
])('a request with %s for a key is a 401', async (_, authorization) => {
  const header = typeof authorization === 'function' ? authorization(customer.apiKey) : (authorization ?? null)
  const refusal = await refusalOf(
    customer.client.chat.completions.create(asking('quick'), { headers: { authorization: header } }),
  )

  expect(refusal).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(refusal).toMatchObject({ status: 401, type: 'invalid_request_error', code: 'invalid_api_key', param: null })
})

test('the keys of customers do not open the admin API, nor does none', async () => {
  const path = `${weir.url}/admin/v1/accounts`
  const withKey = await fetch(path, { headers: { authorization: `Bearer ${customer.apiKey}` } })
  const without = await fetch(path)

  expect([withKey.status, without.status]).toEqual([401, 401])
})

test('too few credits is a 402 that tells how many are missing, takes nothing and is not repeated', async () => {
  let requests = 0
  const counting: typeof fetch = (...args) => {
    requests += 1
    return fetch(...args)
  }
  const { client, credits } = await customerOf(weir, { credits: 1, clientOptions: { maxRetries: 2, fetch: counting } })

  const refusal = await refusalOf(client.chat.completions.create(asking('quick')))

  expect(refusal).toMatchObject({ status: 402, type: 'insufficient_quota', code: 'credit_balance_exhausted' })
  // A thousand tokens at 0.002 and a prompt that was counted: 152 with all allowances, at 0.001.
  expect(refusal.error).toMatchObject({ balance: 1, available: 1, reserved: 0, needed: 2.152, waiting_helps: false })
  expect(refusal.message).toContain('credit balance')
  expect(requests).toBe(1)
  expect(await credits()).toEqual({ balance: 1, reserved: 0, available: 1 })
})

test('an account that was never given credits has none to spend', async () => {
  const { client } = await customerOf(weir, { credits: 0 })

  const refusal = await refusalOf(client.chat.completions.create({ ...asking('quick'), stream: true }))

  expect(refusal).toMatchObject({ status: 402 })
  expect(refusal.error).toMatchObject({ balance: 0, available: 0, waiting_helps: false })
})

test('a model that is not there, and a path that is not, are 404s', async () => {
  const { client } = customer
  const model = await refusalOf(client.chat.completions.create(asking('slow')))
  const path = await refusalOf(client.post('/embeddings', { body: {} }))
  const method = await refusalOf(client.put('/chat/completions', { body: {} }))

  expect([model, path, method].every((refusal) => refusal instanceof OpenAI.NotFoundError)).toBe(true)
  expect(model).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  expect(path).toMatchObject({ status: 404, code: 'not_found', type: 'invalid_request_error' })
})

test('a path that is not even a path is refused like everything else', async () => {
  const refusal = await refusalOf(customer.client.get('/models/%E0%A4%A'))

  expect(refusal.status).toBeGreaterThanOrEqual(400)
  expect(refusal.status).toBeLessThan(500)
})

test('an id that nobody can have is the mistake of whoever sends it', async () => {
  const headers = { authorization: `Bearer ${weir.adminKey}` }
  const response = await fetch(`${weir.url}/admin/v1/accounts/acct_01h00000000000000000000000`, { headers })

  expect([400, 404]).toContain(response.status)
})

test('a body that is too large is a 413', async () => {
  const refusal = await post(asking('quick', 'x'.repeat(20_000)))

  expect(refusal).toMatchObject({ status: 413, type: 'invalid_request_error', code: 'request_too_large' })
})

test.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/xml']])(
  'a body that says it is %s is a 415',
  async (type) => {
    const refusal = await post(JSON.stringify(asking('quick')), { 'content-type': type })

    expect(refusal).toMatchObject({ status: 415, code: 'unsupported_media_type' })
  },
)

test('an account with as much running as it may have is asked to wait, and no other account is', async () => {
  const [busy, other] = [await customerOf(weir), await customerOf(weir)]
  const leave = new AbortController()
  const slow = busy.client.chat.completions.create(asking('hanging'), { signal: leave.signal }).catch(() => {})
  await expect.poll(async () => (await busy.credits()).reserved, patiently).toBeGreaterThan(0)

  const refusal = await refusalOf(busy.client.chat.completions.create(asking('quick')))
  const answered = await other.client.chat.completions.create(asking('quick'))

  expect(refusal).toBeInstanceOf(OpenAI.RateLimitError)
  expect(refusal).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
  expectShortRetryAfter(refusal)
  expect(answered.choices).toHaveLength(1)
  leave.abort()
  await slow
})

test('an account that has been asked to wait is served once its completion has ended', async () => {
  const { client, credits } = await customerOf(weir)
  const leave = new AbortController()
  const slow = client.chat.completions.create(asking('hanging'), { signal: leave.signal }).catch(() => {})
  await expect.poll(async () => (await credits()).reserved, patiently).toBeGreaterThan(0)
  await refusalOf(client.chat.completions.create(asking('quick')))

  leave.abort()
  await slow
  const answer = () => client.chat.completions.create(asking('quick')).then(({ object }) => object, String)

  await expect.poll(answer, patiently).toBe('chat.completion')
})

test('what goes wrong inside stays inside: a 500 says nothing of its cause', async () => {
  await using broken = await openWeir({ config: catalogueOf({ quick }) })
  const { client, credits } = await customerOf(broken)
  await rowsOf(broken.databaseUrl, 'alter table store.completion rename column model to model_of_old')

  const refusal = await refusalOf(client.chat.completions.create(asking('quick')))

  expect(refusal).toBeInstanceOf(OpenAI.InternalServerError)
  expect(refusal).toMatchObject({ status: 500, type: 'server_error', code: 'internal', param: null })
  expect(JSON.stringify(refusal.error)).not.toMatch(/column|relation|model|store|select|insert/i)
  expect(await credits()).toEqual({ balance: 100, reserved: 0, available: 100 })
})

test('a key that was revoked opens nothing', async () => {
  const { client, accountId } = await customerOf(weir)
  expect(await statusOf(client)).toBe(200)

  await revokeKeysOf(weir, accountId)

  await expect.poll(() => statusOf(client), patiently).toBe(401)
})

test.each([
  ['accounts', { name: 'a\u0000b' }, 'name'],
  ['accounts', { name: '\ud800' }, 'name'],
  ['accounts/ACCOUNT/keys', { name: 'a\u0000b' }, 'name'],
  ['accounts/ACCOUNT/grants', { credits: 1, kind: 'promotional', reference: '\ud800' }, 'reference'],
])('text that Postgres could not hold as it was sent is a 400 at %s', async (path, body, param) => {
  const { accountId } = await customerOf(weir)
  const url = `${weir.url}/admin/v1/${path.replace('ACCOUNT', accountId)}`
  const headers = { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' }

  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })

  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
})

test('a body of too many pieces is refused before each of them is looked at', async () => {
  const { client } = await customerOf(weir)
  const fields = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`field${i}`, i]))

  const refusal = await refusalOf(client.post('/chat/completions', { body: { ...asking('quick'), ...fields } }))

  expect(refusal).toMatchObject({ status: 400, message: expect.stringContaining('more than 64 fields') })
})

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['a header of 20 kB', `GET /healthz HTTP/1.1\r\nhost: a\r\na: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
])('%s is refused in the same envelope as everything else', async (_, bytes, status) => {
  const answer = await answerTo(new URL(weir.url), bytes)

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*x-request-id: req_`))
  expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
    error: { type: 'invalid_request_error', param: null },
  })
})

async function answerTo({ hostname, port }: URL, bytes: string): Promise<string> {
  const socket = connect(Number(port), hostname)
  socket.write(bytes)
  return (await socket.toArray()).join('')
}
