import { type Weir, openWeir } from '@weir/local/testing'
import { Ajv2020 } from 'ajv/dist/2020.js'
import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { askedInBackground, errorOf } from './testing/completions.ts'
import { type Customer, asking, customerOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { openListener, ownLoopback } from './testing/listener.ts'
import { patiently } from './testing/patiently.ts'
import { type Receiver, openReceiver, signedOf, toldBy } from './testing/receiver.ts'
import { webhookCallsOf } from './testing/webhooks.ts'

/** One replica that sends to private networks, and one that does not, as by default. */
let weir: Weir
let strictUrl: string
let receiver: Receiver
let customer: Customer
let calls: ReturnType<typeof webhookCallsOf>

const open = { WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true', WEIR_WEBHOOK_POLL_MS: '50', WEIR_WEBHOOK_MAX_ENDPOINTS: '3' }

beforeAll(async () => {
  receiver = await openReceiver()
  weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: open, workerEnv: open })
  const strict = await weir.startApi({ WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'false' })
  strictUrl = `http://127.0.0.1:${strict.port}`
})
beforeEach(async () => {
  customer = await customerOf(weir)
  calls = webhookCallsOf(weir, customer.apiKey)
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await receiver?.[Symbol.asyncDispose]()
})

const types = ['batch.completed', 'batch.failed'] as const
const ofMine = (url = receiver.url) => ({ name: 'mine', url, event_types: [...types] })

test('the official client makes, shows, lists, changes and deletes endpoints', async () => {
  const { webhooks } = customer.client
  const made = await webhooks.create(ofMine())
  expect(made).toMatchObject({ ...ofMine(), object: 'webhook_endpoint', id: expect.stringMatching(/^we_/) })
  expect(made.signing_secret).toMatch(/^whsec_/)
  expect(made.signing_secret_hint).toBe(`whsec_…${made.signing_secret.slice(-4)}`)
  const { signing_secret: _secret, ...shown } = made

  expect(await webhooks.retrieve(made.id)).toEqual(shown)
  const others = [await webhooks.create(ofMine()), await webhooks.create(ofMine())]
  const listed = []
  for await (const endpoint of webhooks.list({ limit: 1 })) listed.push(endpoint.id)
  expect(listed).toEqual([...others.map(({ id }) => id).toReversed(), made.id])

  expect(await webhooks.update(made.id, { name: 'ours' })).toMatchObject({ ...ofMine(), name: 'ours' })
  expect(await webhooks.update(made.id, { event_types: ['batch.expired'] })).toMatchObject({
    event_types: ['batch.expired'],
  })
  expect(await webhooks.update(made.id)).toMatchObject({ name: 'ours' })

  expect(await webhooks.delete(made.id)).toEqual({ id: made.id, object: 'webhook_endpoint.deleted', deleted: true })
  expect((await refusalOf(webhooks.retrieve(made.id))).status).toBe(404)
})

test('an account has only so many endpoints', async () => {
  const { webhooks } = customer.client
  const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => webhooks.create(ofMine())))

  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  expect(attempts.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { status: 400 } })
})

test('the types of events are listed for the official client', async () => {
  const { object, data } = await customer.client.webhooks.eventTypes.list()

  expect(object).toBe('list')
  expect(data).toEqual(expect.arrayContaining(['batch.completed', 'batch.paused', 'chat.completion.completed']))
})

test('a sample event arrives signed and says what it is, and what the endpoint answers is told, without its body', async () => {
  const { id, signing_secret: secret } = await customer.client.webhooks.create(ofMine(`${receiver.url}/sample`))
  receiver.answerWith((response) => void response.writeHead(418).end('the secrets of a teapot'))

  const response = await customer.client.webhooks.test(id, { event_type: 'batch.completed' }).asResponse()
  const text = await response.text()

  expect(JSON.parse(text)).toEqual({
    object: 'webhook_endpoint.test',
    webhook_endpoint_id: id,
    event_type: 'batch.completed',
    status_code: 418,
    success: true,
  })
  const { body, headers } = signedOf(await receiver.next('/sample'))
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({
    type: 'batch.completed',
    data: { id: expect.stringMatching(/^batch_/) },
    test: true,
  })
  receiver.answerWith((response) => void response.writeHead(204).end())
})

test('a sample event that nobody answers is refused with why', async () => {
  const closed = await openReceiver()
  const { id } = await customer.client.webhooks.create(ofMine(closed.url))
  await closed[Symbol.asyncDispose]()

  const refusal = await refusalOf(customer.client.webhooks.test(id, { event_type: 'batch.completed' }))
  expect(refusal).toMatchObject({ status: 400, param: 'url' })
  expect(refusal.message).toContain('could not be reached')
})

test('after a rotation with an overlap receivers with either secret believe what they are sent, else only with the new one', async () => {
  const { id, signing_secret: first } = await calls.endpoint(`${receiver.url}/rotated`)
  const rotated = await customer.client.webhooks.rotateSecret(id, { keep_old_secret_active_for_24_hours: true })
  await askedInBackground(customer.client, 'quick')
  const both = signedOf(await receiver.next('/rotated'))

  for (const secret of [first, rotated.signing_secret]) {
    expect(new Webhook(secret).verify(both.body, both.headers)).toBeDefined()
    await new OpenAI({ apiKey: 'none' }).webhooks.unwrap(both.body, both.headers, secret)
  }

  const last = await customer.client.webhooks.rotateSecret(id)
  await askedInBackground(customer.client, 'quick')
  const one = signedOf(await receiver.next('/rotated'))
  expect(new Webhook(last.signing_secret).verify(one.body, one.headers)).toBeDefined()
  expect(() => new Webhook(rotated.signing_secret).verify(one.body, one.headers)).toThrow('No matching signature')
})

test('the account’s own secret is rotated likewise', async () => {
  const first = await calls.secret()
  expect(await calls.secret()).toBe(first)
  await calls.post('webhook_secret/rotate', { keep_old_secret_active_for_24_hours: true })
  const second = await calls.secret()
  await customer.client.chat.completions.create({ ...asking('quick'), webhook_url: `${receiver.url}/own` } as never)

  const { body, headers } = signedOf(await receiver.next('/own'))
  expect(second).not.toBe(first)
  for (const secret of [first, second]) expect(new Webhook(secret).verify(body, headers)).toBeDefined()
})

test('what is another account’s is not there', async () => {
  const { id } = await calls.endpoint(`${receiver.url}/mine`)
  await askedInBackground(customer.client, 'quick')
  await receiver.next('/mine')
  const { id: delivery } = await calls.newest()
  const stranger = webhookCallsOf(weir, (await customerOf(weir)).apiKey)

  for (const [method, path, body] of [
    ['GET', `webhook_endpoints/${id}`],
    ['POST', `webhook_endpoints/${id}`, { enabled: false }],
    ['DELETE', `webhook_endpoints/${id}`],
    ['POST', `webhook_endpoints/${id}/rotate_secret`, {}],
    ['POST', `webhook_endpoints/${id}/test`, { event_type: 'batch.completed' }],
    ['POST', `webhook_endpoints/${id}/redeliver`, { since: '2026-01-01' }],
    ['GET', `webhook_deliveries/${delivery}`],
    ['POST', `webhook_deliveries/${delivery}/redeliver`, {}],
  ] as const)
    expect([path, await errorOf(await stranger.call(method, path, body))]).toMatchObject([
      path,
      { status: 404, param: 'id' },
    ])
  expect(await stranger.deliveries(`?endpoint_id=${id}`)).toEqual([])
  expect(await stranger.deliveries()).toEqual([])
  expect(await calls.shown(id)).toMatchObject({ enabled: true })
})

test('deliveries are found by endpoint, type and state, a page at a time', async () => {
  const { id } = await calls.endpoint(`${receiver.url}/listed`)
  for (let i = 0; i < 3; i += 1) await askedInBackground(customer.client, 'quick')
  for (let i = 0; i < 3; i += 1) await receiver.next('/listed')
  await expect.poll(async () => (await calls.deliveries('?state=delivered')).length, patiently).toBe(3)

  const all = (await calls.deliveries(`?endpoint_id=${id}&event_type=chat.completion.completed`)).map(({ id }) => id)
  expect(all).toHaveLength(3)
  expect((await calls.deliveries(`?limit=1&after=${all[0]}`)).map(({ id }) => id)).toEqual([all[1]])
  expect(await calls.deliveries('?event_type=batch.failed')).toEqual([])
  expect(await errorOf(await calls.call('GET', 'webhook_deliveries?state=lost'))).toMatchObject({
    status: 400,
    param: 'state',
  })
  expect(await errorOf(await calls.call('GET', 'webhook_deliveries?colour=red'))).toMatchObject({ status: 400 })
})

test.each([
  ['http://example.com/', 'https://'],
  ['https://user:secret@example.com/', 'password'],
  ['https://example.com:22/', 'port'],
  ['https://example.com:3000/', 'for whoever runs this service to allow'],
  ['https://localhost:8443/', 'public'],
  ['https://hooks.localhost/', 'public'],
  ['https://127.0.0.1/', 'public'],
  ['https://2130706433/', 'public'],
  ['https://0x7f.1/', 'public'],
  ['https://[::1]/', 'public'],
  ['https://[::ffff:7f00:1]/', 'public'],
  ['https://169.254.169.254/latest', 'public'],
  ['https://100.64.0.1/', 'public'],
  ['ftp://example.com/', 'https://'],
  ['not an address', 'valid'],
  [`https://example.com/${'a'.repeat(2_048)}`, '2048'],
])('nobody sends events to %s unless private networks are allowed', async (url, what) => {
  const client = new OpenAI({ apiKey: customer.apiKey, baseURL: `${strictUrl}/v1`, maxRetries: 0 })

  for (const [call, param] of [
    [() => client.webhooks.create(ofMine(url)), 'url'],
    [() => client.chat.completions.create({ ...asking('quick'), webhook_url: url } as never), 'webhook_url'],
  ] as const) {
    const refusal = await refusalOf(call())
    expect(refusal).toMatchObject({ status: 400, param })
    expect(refusal.message).toContain(what)
  }
})

test('what was allowed once is checked again whenever something is sent', async () => {
  await using listener = await openListener(ownLoopback())
  const { id } = await customer.client.webhooks.create(ofMine(`http://${listener.host}:${listener.port}/`))
  const strict = new OpenAI({ apiKey: customer.apiKey, baseURL: `${strictUrl}/v1`, maxRetries: 0 })

  expect(await refusalOf(strict.webhooks.test(id, { event_type: 'batch.completed' }))).toMatchObject({
    status: 400,
    param: 'url',
  })
  expect(await listener.visitors()).toBe(0)
})

test.each([
  [{ name: '', url: 'https://example.com', event_types: ['batch.completed'] }, 'name'],
  [{ name: 'a', url: 'https://example.com', event_types: [] }, 'event_types'],
  [{ name: 'a', url: 'https://example.com', event_types: ['response.completed'] }, 'event_types[0]'],
  [{ name: 'a', url: 'https://example.com', event_types: ['batch.failed', 'batch.failed'] }, 'event_types'],
  [{ name: 'a', event_types: ['batch.failed'] }, 'url'],
  [{ name: 'a', url: 'https://example.com', event_types: ['batch.failed'], secret: 'mine' }, 'secret'],
])('an endpoint such as %j is refused', async (body, param) => {
  expect(await errorOf(await calls.call('POST', 'webhook_endpoints', body))).toMatchObject({ status: 400, param })
})

test('what was delivered can be delivered once more, with the same id', async () => {
  await calls.endpoint(`${receiver.url}/again`)
  await askedInBackground(customer.client, 'quick')
  const first = toldBy(await receiver.next('/again'))
  await expect.poll(async () => (await calls.deliveries('?state=delivered')).length, patiently).toBe(1)
  const { id } = await calls.newest()

  await calls.post(`webhook_deliveries/${id}/redeliver`)

  expect(toldBy(await receiver.next('/again'))).toEqual(first)
  await expect.poll(async () => (await calls.delivery(id)).attempts.length, patiently).toBe(2)
})

test('the reference describes every type of event as it arrives', async () => {
  const { data: types } = await customer.client.webhooks.eventTypes.list()
  type Described = { post: { requestBody: { content: { 'application/json': { schema: object } } } } }
  const { webhooks } = (await (await fetch(`${weir.url}/openapi.json`)).json()) as {
    webhooks: Record<string, Described>
  }
  expect(Object.keys(webhooks)).toEqual(types)

  const { id } = await calls.endpoint(`${receiver.url}/described`, ['batch.paused'])
  await customer.client.webhooks.test(id, { event_type: 'batch.paused' as never })
  const told = toldBy(await receiver.next('/described'))
  const fits = (type: string) =>
    new Ajv2020({ strict: false }).compile(webhooks[type]!.post.requestBody.content['application/json'].schema)(told)
  expect([fits('batch.paused'), fits('batch.failed')]).toEqual([true, false])
})

test('the examples of the reference work as they stand', async () => {
  type Examples = Record<string, { value: object }>
  type Post = { requestBody: { content: { 'application/json': { examples: Examples } } } }
  const { paths } = (await (await fetch(`${weir.url}/openapi.json`)).json()) as {
    paths: Record<string, { post?: Post }>
  }
  const { id } = await calls.endpoint(`${receiver.url}/examples`)

  const answers = []
  for (const [path, { post }] of Object.entries(paths).filter(([path]) => path.startsWith('/v1/webhook_endpoints')))
    for (const { value } of Object.values(post?.requestBody.content['application/json'].examples ?? {}))
      answers.push((await calls.call('POST', path.replace('/v1/', '').replace('{id}', id), value)).status)

  expect(answers).toEqual([200, 200, 200, 200, 200])
})
