import { type Weir, openWeir } from '@weir/local/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, quick } from './testing/catalogue.ts'
import { type Customer, customerOf } from './testing/customer.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { type Told, askingMessage, rawMessagesOf } from './testing/messages.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'

let weir: Weir
let customer: Customer
let raw: ReturnType<typeof rawMessagesOf>
let redis: Redis

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick, hanging }) })
  customer = await customerOf(weir, { credits: 100_000 })
  raw = rawMessagesOf(weir.url, customer.apiKey)
  redis = new Redis(weir.redisUrl)
})
afterAll(async () => {
  redis?.disconnect()
  await weir?.[Symbol.asyncDispose]()
})

const imageOf = (bytes: number) => Buffer.alloc(bytes, 'image').toString('base64')

/** A message with an image of so many bytes. */
const showing = (model: string, bytes: number) => ({
  ...askingMessage(model),
  messages: [
    {
      role: 'user',
      content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: imageOf(bytes) } }],
    },
  ],
})

const told = async (response: Promise<Response>) => (await (await response).json()) as Told

/** What Weir holds in Redis takes there, in bytes. */
async function memoryOfRedis(): Promise<number> {
  const keys = await redis.keys(`${weir.redisPrefix}*`)
  const sizes = await Promise.all(keys.map((key) => redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')))
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0)
}

/** Requests that lie in Postgres. */
const heldRequests = async () =>
  (await rowsOf(weir.databaseUrl, 'select id from store.kept_completion where job is not null')).length

/** Completions that Redis knows and that have not ended. */
async function running(): Promise<number> {
  const keys = await redis.keys(`${weir.redisPrefix}:completion:*`)
  const jobs = await Promise.all(keys.map((key) => redis.hexists(key, 'job').catch(() => 0)))
  return jobs.filter((has) => has === 1).length
}

test('a message with an image of 15 MB is answered, in either API', async () => {
  const response = await raw.post('/v1/messages', showing('quick', 15_000_000))
  const url = `data:image/png;base64,${imageOf(5_000_000)}`
  const chat = await customer.client.chat.completions.create({
    model: 'quick',
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  })

  expect(response.status).toBe(200)
  expect(chat.choices[0]?.finish_reason).toBe('stop')
  await expect.poll(heldRequests, patiently).toBe(0)
})

test('a message with an image of 5 MB takes little of Redis while it runs, and nothing of Postgres once it has ended', async () => {
  const { id } = await told(raw.post('/v1/messages', showing('hanging', 5_000_000), { prefer: 'wait=0' }))
  await expect.poll(async () => (await told(raw.get(`/v1/messages/${id}`))).status, patiently).toBe('in_progress')

  expect(await memoryOfRedis()).toBeLessThan(200_000)
  expect(await told(raw.post(`/v1/messages/${id}/cancel`))).toMatchObject({ status: 'cancelled' })
  expect(await heldRequests()).toBe(0)
})

test('a large plain request survives the loss of Redis, as any other does', async () => {
  const leaving = new AbortController()
  const url = `data:image/png;base64,${imageOf(1_000_000)}`
  const answer = customer.client.chat.completions.create(
    { model: 'hanging', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] },
    { signal: leaving.signal },
  )
  answer.catch(() => {})
  await expect.poll(running, patiently).toBe(1)
  await forgetEverything(weir)

  await expect.poll(running, patiently).toBe(1)
  expect(await memoryOfRedis()).toBeLessThan(200_000)
  leaving.abort()
  await expect.poll(heldRequests, patiently).toBe(0)
})

test('a body that is larger than any may be is refused in the envelope of its API', async () => {
  const response = await raw.post('/v1/messages', showing('quick', 16_000_000))

  expect([response.status, await response.json()]).toMatchObject([
    413,
    { type: 'error', error: { type: 'request_too_large' } },
  ])
})

test('only requests for completions may be large', async () => {
  const headers = { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'x'.repeat(2_000_000) })
  const response = await fetch(`${weir.url}/admin/v1/accounts`, { method: 'POST', headers, body })

  expect(response.status).toBe(413)
})
