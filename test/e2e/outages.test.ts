import { openWeir, type Weir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, openai, quick } from './testing/catalogue.ts'
import { type Customer, asking, customerOf, plainTextOf, reading, textOf } from './testing/customer.ts'
import { expectShortRetryAfter, refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { type TcpProxy, openTcpProxy } from './testing/tcp-proxy.ts'
import { openUpstream } from './testing/upstream.ts'

let weir: Weir
let customer: Customer
const proxies = {} as { postgres: TcpProxy; redis: TcpProxy }

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick, hanging }), apis: 0, workerEnv: reconcileSoon })
  proxies.postgres = await openTcpProxy(weir.databaseUrl)
  proxies.redis = await openTcpProxy(weir.redisUrl)
  await weir.startApi({
    DATABASE_URL: proxies.postgres.url,
    REDIS_URL: proxies.redis.url,
    WEIR_UNREADY_AFTER_MS: '2000',
  })
  customer = await customerOf(weir, { clientOptions: { timeout: 10_000 } })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await proxies.postgres?.[Symbol.asyncDispose]()
  await proxies.redis?.[Symbol.asyncDispose]()
})

/** A refused call may have been admitted after all; then its reservation is the reconciler's to end. */
const reconcileSoon = { WEIR_RECONCILE_AFTER_MS: '500', WEIR_RECONCILE_INTERVAL_MS: '200' }

const ask = () => customer.client.chat.completions.create(asking('quick'))
const served = () => ask().then(({ object }) => object, String)

test.each([
  ['postgres', 'cut'],
  ['postgres', 'silence'],
  ['redis', 'cut'],
  ['redis', 'silence'],
] as const)(
  'with %s away (%s) a call gets its 503 instead of hanging, and is served again when it is back',
  async (name, how) => {
    await expect.poll(served, patiently).toBe('chat.completion')
    await proxies[name][how]()

    const refusal = await refusalOf(ask())
    const streamRefusal = await refusalOf(customer.client.chat.completions.create({ ...asking('quick'), stream: true }))
    await proxies[name].restore()

    for (const each of [refusal, streamRefusal]) {
      expect(each).toMatchObject({ status: 503, type: 'server_error', code: 'service_unavailable' })
      expectShortRetryAfter(each)
    }
    await expect.poll(served, patiently).toBe('chat.completion')
    await expect.poll(async () => (await customer.credits()).reserved, patiently).toBe(0)
  },
)

test.each([['cut'], ['silence']] as const)(
  'with Postgres away (%s) a key that was never seen and the credits are 503s, while models are still listed',
  async (how) => {
    const stranger = await customerOf(weir)
    await customer.client.models.list()
    await proxies.postgres[how]()

    const unknownKey = await refusalOf(stranger.client.models.list())
    const credits = await refusalOf(customer.client.get('/credits'))
    await proxies.postgres.restore()

    expect([unknownKey.status, credits.status]).toEqual([503, 503])
    await expect.poll(() => stranger.client.models.list().then(() => 'listed', String), patiently).toBe('listed')
  },
)

test.each([
  ['postgres', 'cut'],
  ['redis', 'cut'],
  ['redis', 'silence'],
] as const)('with %s away (%s) a replica lives on, and is not ready once that has lasted', async (name, how) => {
  const probe = async (path: string) => {
    const answer = await fetch(weir.url + path)
    return [answer.status, await answer.json()]
  }
  const allAnswer = { postgres: 'ok', redis: 'ok' }
  await expect.poll(() => probe('/readyz'), patiently).toEqual([200, { status: 'ready', ...allAnswer }])

  await proxies[name][how]()
  const oneIsAway = { ...allAnswer, [name]: 'unreachable' }
  await expect.poll(() => probe('/readyz'), patiently).toEqual([200, { status: 'ready', ...oneIsAway }])
  await expect.poll(() => probe('/readyz'), patiently).toEqual([503, { status: 'unready', ...oneIsAway }])
  expect(await probe('/healthz')).toEqual([200, { status: 'ok' }])

  await proxies[name].restore()
  await expect.poll(() => probe('/readyz'), patiently).toEqual([200, { status: 'ready', ...allAnswer }])
})

test('a call that waits while Redis is cut off from its replica still gets its answer', async () => {
  await using upstream = await openUpstream()
  await using other = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), apis: 0 })
  await using redis = await openTcpProxy(other.redisUrl)
  await other.startApi({ REDIS_URL: redis.url })
  const waiting = await customerOf(other)
  const asked = waiting.client.chat.completions.create(asking('upstream')).then(plainTextOf)
  const streamed = waiting.client.chat.completions.create({ ...asking('upstream'), stream: true }).then(textOf)
  const running = [await upstream.nextCall(), await upstream.nextCall()]

  await redis.cut()
  for (const call of running) {
    call.say('Rivers bend.')
    call.finish()
  }
  await expect.poll(async () => (await waiting.charges()).length, patiently).toBe(2)
  await redis.restore()

  expect(await Promise.all([asked, streamed])).toEqual(['Rivers bend.', 'Rivers bend.'])
  expect(await waiting.charges()).toHaveLength(2)
})

test('a stream whose worker is cut off from Redis for a moment goes on without a hole', async () => {
  await using upstream = await openUpstream()
  await using other = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), workers: 0 })
  await using redis = await openTcpProxy(other.redisUrl)
  await other.startWorker({ REDIS_URL: redis.url })
  const { client, charges } = await customerOf(other)
  const reader = reading(client.chat.completions.create({ ...asking('upstream'), stream: true }))
  const call = await upstream.nextCall()
  call.say('Rivers ')
  await expect.poll(reader.text, patiently).toBe('Rivers ')

  await redis.cut()
  for (const word of ['bend ', 'because ', 'water ', 'is ']) call.say(word)
  await redis.restore()
  call.say('lazy.')
  call.finish()
  await reader.end

  expect(reader.text()).toBe('Rivers bend because water is lazy.')
  await expect.poll(() => charges(), patiently).toEqual([0.003])
})
