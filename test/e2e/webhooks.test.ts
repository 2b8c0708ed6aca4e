import Anthropic from '@anthropic-ai/sdk'
import { type Weir, openWeir } from '@weir/local/testing'
import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { askedInBackground, shown } from './testing/completions.ts'
import { type Customer, asking, customerOf } from './testing/customer.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { messagesClientOf } from './testing/messages.ts'
import { patiently } from './testing/patiently.ts'
import { type Receiver, openReceiver, signedOf, toldBy } from './testing/receiver.ts'
import { webhookCallsOf } from './testing/webhooks.ts'

let weir: Weir
let receiver: Receiver
let customer: Customer
let calls: ReturnType<typeof webhookCallsOf>

const env = {
  WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true',
  WEIR_WEBHOOK_TIMEOUT_MS: '1000',
  WEIR_WEBHOOK_RETRIES_MS: '50,50,600000',
  WEIR_WEBHOOK_POLL_MS: '50',
  WEIR_LOCK_MS: '1500',
  WEIR_STALLED_INTERVAL_MS: '500',
}

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: env, workerEnv: env })
})
beforeEach(async () => {
  customer = await customerOf(weir)
  calls = webhookCallsOf(weir, customer.apiKey)
  await receiver?.[Symbol.asyncDispose]()
  receiver = await openReceiver()
})
afterAll(async () => {
  await receiver?.[Symbol.asyncDispose]()
  await weir?.[Symbol.asyncDispose]()
})

const hook = (path = '/hook') => `${receiver.url}${path}`

test('the end of a background completion is told to an endpoint, signed so that every library believes it', async () => {
  const { id: endpoint, signing_secret: secret } = await calls.endpoint(hook())
  const { id } = await askedInBackground(customer.client, 'quick')

  const received = await receiver.next()
  const { body, headers } = signedOf(received)

  expect(received.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Weir-Webhooks' })
  const event = new Webhook(secret).verify(body, headers)
  expect(event).toEqual({
    id: expect.stringMatching(/^evt_/),
    object: 'event',
    created_at: expect.any(Number),
    type: 'chat.completion.completed',
    data: { id },
  })
  expect(headers['webhook-id']).toBe((event as { id: string }).id)
  expect(await new OpenAI({ apiKey: 'none' }).webhooks.unwrap(body, headers, secret)).toEqual(event)
  expect(new Anthropic({ apiKey: 'none' }).beta.webhooks.unwrap(body, { headers, key: secret })).toEqual(event)
  await expect(new OpenAI({ apiKey: 'none' }).webhooks.unwrap(`${body} `, headers, secret)).rejects.toThrow('signature')

  expect((await shown(customer.client, id)).status).toBe('completed')
  await expect.poll(async () => (await calls.deliveries())[0]?.state, patiently).toBe('delivered')
  expect(await calls.deliveries()).toMatchObject([{ webhook_endpoint_id: endpoint, event: { data: { id } } }])
})

test('the address of a request is told of its end whether or not it was asked for in the background, in both APIs', async () => {
  const secret = await calls.secret()
  const plain = await customer.client.chat.completions.create({
    ...asking('quick'),
    webhook_url: hook('/plain'),
  } as never)
  const message = await messagesClientOf(customer.apiKey, weir.url).messages.create({
    model: 'quick',
    max_tokens: 20,
    messages: [{ role: 'user', content: 'Hi' }],
    webhook_url: hook('/message'),
  } as never)

  for (const [path, id] of [
    ['/plain', (plain as { id: string }).id],
    ['/message', (message as { id: string }).id.replace('msg_', 'chatcmpl_')],
  ] as const) {
    const { body, headers } = signedOf(await receiver.next(path))
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'chat.completion.completed', data: { id } })
    expect(await shown(customer.client, id)).toMatchObject({ choices: [{}], webhook_url: hook(path) })
  }
})

test('a plain completion without an address, and a type that nobody wants, are told to nobody', async () => {
  await calls.endpoint(hook(), ['chat.completion.failed'])
  const unheard = await askedInBackground(customer.client, 'quick')
  await expect.poll(async () => (await shown(customer.client, unheard.id)).status, patiently).toBe('completed')
  await calls.endpoint(hook())
  await customer.client.chat.completions.create(asking('quick'))
  const heard = await askedInBackground(customer.client, 'quick')

  expect(toldBy(await receiver.next()).data.id).toBe(heard.id)
  expect(await calls.deliveries()).toHaveLength(1)
})

test('a webhook that fails is sent again with the same id and a fresh signature until it arrives', async () => {
  const answers = [500, 302, 200]
  receiver.answerWith((response) => void response.writeHead(answers.shift()!, { location: hook('/elsewhere') }).end())
  const { signing_secret: secret } = await calls.endpoint(hook())
  await askedInBackground(customer.client, 'quick')

  const received = [await receiver.next(), await receiver.next(), await receiver.next()]

  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  for (const { body, headers } of received.map(signedOf)) new Webhook(secret).verify(body, headers)
  await expect.poll(async () => (await calls.deliveries())[0]?.state, patiently).toBe('delivered')
  const { id } = await calls.newest()
  const { attempts } = await calls.delivery(id)
  expect(attempts.map(({ status_code }) => status_code)).toEqual([500, 302, 200])
  expect(received.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook'])
})

test('a receiver that asks to wait is waited for', async () => {
  receiver.answerWith((response) => void response.writeHead(429, { 'retry-after': '600' }).end())
  await calls.endpoint(hook())
  await askedInBackground(customer.client, 'quick')
  await receiver.next()

  await expect.poll(async () => (await calls.deliveries())[0]?.attempt_count, patiently).toBe(1)
  expect((await calls.newest()).next_attempt_at).toBeGreaterThan(Date.now() / 1_000 + 500)
})

test('an endpoint that is gone is disabled, and used again once it is enabled', async () => {
  receiver.answerWith((response) => void response.writeHead(410).end())
  const { id } = await calls.endpoint(hook())
  await askedInBackground(customer.client, 'quick')
  await receiver.next()
  await expect.poll(async () => (await calls.shown(id)).disabled_for, patiently).toBe('gone')
  const { id: delivery } = await calls.newest('?state=failed')
  expect((await calls.call('POST', `webhook_deliveries/${delivery}/redeliver`)).status).toBe(400)

  receiver.answerWith((response) => void response.writeHead(200).end())
  expect(await calls.post(`webhook_endpoints/${id}`, { enabled: true })).toMatchObject({ enabled: true })
  expect(await calls.post(`webhook_deliveries/${delivery}/redeliver`)).toMatchObject({ state: 'pending' })
  await receiver.next()
  await expect.poll(async () => (await calls.delivery(delivery)).state, patiently).toBe('delivered')
})

test('what could not be delivered in a time is delivered once more, with the same ids', async () => {
  const since = new Date(Date.now() - 60_000).toISOString()
  receiver.answerWith((response) => void response.writeHead(410).end())
  const { id } = await calls.endpoint(hook())
  await askedInBackground(customer.client, 'quick')
  const first = toldBy(await receiver.next())
  await expect.poll(async () => (await calls.shown(id)).enabled, patiently).toBe(false)
  receiver.answerWith((response) => void response.writeHead(200).end())
  await calls.post(`webhook_endpoints/${id}`, { enabled: true })

  expect(await calls.post(`webhook_endpoints/${id}/redeliver`, { since })).toMatchObject({ count: 1, has_more: false })
  expect(toldBy(await receiver.next())).toEqual(first)
  await expect.poll(async () => (await calls.deliveries())[0]?.state, patiently).toBe('delivered')
  expect(await calls.post(`webhook_endpoints/${id}/redeliver`, { since })).toMatchObject({ count: 0, last_id: null })
})

test('what waits for its next try is tried at once when its endpoint is repaired', async () => {
  const since = Math.floor(Date.now() / 1_000) - 60
  receiver.answerWith((response) => void response.writeHead(500).end())
  const { id } = await calls.endpoint(hook())
  await askedInBackground(customer.client, 'quick')
  await expect.poll(async () => (await calls.deliveries())[0]?.attempt_count, patiently).toBe(3)
  receiver.answerWith((response) => void response.writeHead(200).end())
  const retry = { since, until: since + 3_600, state: 'pending' }

  expect(await calls.post(`webhook_endpoints/${id}/redeliver`, retry)).toMatchObject({ count: 1, has_more: false })
  await expect.poll(async () => (await calls.deliveries())[0]?.state, patiently).toBe('delivered')
  expect(await calls.post(`webhook_endpoints/${id}/redeliver`, retry)).toMatchObject({ count: 0 })
  expect(await calls.call('POST', `webhook_endpoints/${id}/redeliver`, { since: 'yesterday' })).toMatchObject({
    status: 400,
  })
})

test('a completion shows where its end is told, from the start', async () => {
  const accepted = await askedInBackground(customer.client, 'quick', { webhook_url: hook('/shown') })

  expect(accepted).toMatchObject({ status: 'queued', webhook_url: hook('/shown') })
  expect(await shown(customer.client, accepted.id)).toMatchObject({ webhook_url: hook('/shown') })
  expect(await askedInBackground(customer.client, 'quick')).not.toHaveProperty('webhook_url')
})

test('one receiver that hangs keeps no other one waiting', async () => {
  const held: (() => void)[] = []
  receiver.answerWith((response, { path }) => {
    if (path === '/slow') held.push(() => response.end())
    else response.writeHead(200).end()
  })
  await calls.endpoint(hook('/slow'))
  await Promise.all(Array.from({ length: 12 }, () => askedInBackground(customer.client, 'quick')))
  await receiver.next('/slow')
  const other = await customerOf(weir)
  await webhookCallsOf(weir, other.apiKey).endpoint(hook('/quick'))

  const { id } = await askedInBackground(other.client, 'quick')
  expect(toldBy(await receiver.next('/quick')).data.id).toBe(id)
  const [delivery] = await webhookCallsOf(weir, other.apiKey).deliveries()
  expect(delivery).toMatchObject({ attempt_count: expect.toSatisfy((count: number) => count <= 1) })
  for (const release of held) release()
})

test('a worker that is killed between the commit and the delivery, and a Redis that forgets, lose no webhook', async () => {
  let kill = true
  receiver.answerWith((response) => {
    if (kill) for (const worker of weir.workers) worker.kill('SIGKILL')
    else response.writeHead(200).end()
    kill = false
  })
  await calls.endpoint(hook())
  const { id } = await askedInBackground(customer.client, 'quick')
  const first = await receiver.next()
  await Promise.all(weir.workers.map(({ exited }) => exited))
  await forgetEverything(weir)

  await weir.startWorker()

  const again = await receiver.next()
  expect(again.headers['webhook-id']).toBe(first.headers['webhook-id'])
  expect(toldBy(again).data.id).toBe(id)
  await expect.poll(async () => (await calls.deliveries())[0]?.state, patiently).toBe('delivered')
})
