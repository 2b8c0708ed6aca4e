import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '@weir/local'
import { openOwnPostgres, openWeir, type Weir, type WeirOptions } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { type Customer, customerOf } from './testing/customer.ts'
import { type Answered, type Failed, keepAsking } from './testing/load.ts'
import { openOwnRedis } from './testing/own-redis.ts'
import { patiently } from './testing/patiently.ts'
import { type UpstreamCall, openUpstream } from './testing/upstream.ts'

/** What is lost is missed soon. */
const soon = {
  WEIR_LOCK_MS: '3000',
  WEIR_STALLED_INTERVAL_MS: '1000',
  WEIR_RECONCILE_AFTER_MS: '1000',
  WEIR_RECONCILE_INTERVAL_MS: '500',
}
const AWAY_MS = 5_000

/** Repeats what it was asked, a word every few milliseconds. */
async function echoSlowly(call: UpstreamCall) {
  const words = call.prompt.split(' ')
  for (const word of words) {
    call.say(`${word} `)
    await sleep(20)
  }
  call.finish({ prompt: words.length, completion: words.length })
}

test.each(['with its data', 'empty'] as const)(
  'Redis is away for a while and comes back %s: service resumes, nothing is charged twice, and the logs stay short',
  async (how) => {
    await using redis = await openOwnRedis()
    await withLoad({ REDIS_URL: redis.url }, async () => {
      await redis.stop()
      await sleep(AWAY_MS)
      await redis.start(how)
    })
  },
)

test.each(['stopped', 'killed'] as const)(
  'Postgres is %s without warning and comes back: service resumes, nothing is charged twice, and the logs stay short',
  async (how) => {
    await using postgres = await openOwnPostgres()
    await withLoad({ DATABASE_URL: postgres.url }, async () => {
      await postgres.crash(how)
      await sleep(AWAY_MS)
      await postgres.restart()
    })
  },
)

/** A service under load whose dependency is taken away and brought back by `outage`, and what must hold after it. */
async function withLoad(env: NonNullable<WeirOptions['apiEnv']>, outage: () => Promise<void>) {
  await using upstream = await openUpstream(echoSlowly)
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    apis: 2,
    workers: 2,
    apiEnv: env,
    workerEnv: { ...soon, ...env },
  })
  const customer = await customerOf(weir, { credits: 100_000 })
  const load = keepAsking(customer.apiKey, weir.url, { clients: 8, pauseMs: 20 })
  await expect.poll(() => load.answered.length, patiently).toBeGreaterThan(10)

  await outage()
  const before = load.answered.length
  await expect.poll(() => load.answered.length, patiently).toBeGreaterThan(before + 20)
  await load.stop()

  for (const { prompt, text } of load.answered) expect(text).toBe(`${prompt} `)
  expect(unexpected(load.failed)).toEqual([])
  await expect.poll(async () => (await customer.credits()).reserved, patiently).toBe(0)
  await expectChargedOnce(customer, load.answered)
  await expectCalm(weir)
}

/** During an outage a call is refused for a while or, where something was seen of it, interrupted; one that had been settled can only be asked for. */
const expected = new Set(['service_unavailable', 'stream_interrupted', 'stream_expired'])
const unexpected = (failed: Failed[]) => failed.filter(({ code }) => !expected.has(String(code)))

async function expectChargedOnce({ entries }: Customer, answered: Answered[]) {
  const charges = (await entries()).filter(({ kind }) => kind === 'charge')
  const ids = charges.map(({ completion_id: id }) => id)
  expect(ids.length).toBe(new Set(ids).size)
  expect(ids).toEqual(expect.arrayContaining(answered.map(({ id }) => id)))
}

/** No process was ended by an error that nobody caught, and each told what happened in few lines. */
async function expectCalm({ apis, workers }: Weir) {
  const processes = [...apis, ...workers]
  const lines = processes.map((app: App) => app.logs().length)
  expect(Math.max(...lines)).toBeLessThan(60)
  await Promise.all(processes.map((app) => app.stop()))
  const ends = await Promise.all(processes.map(({ exited }) => exited))
  expect(ends).toEqual(processes.map(() => ({ code: 0, signal: null })))
}
