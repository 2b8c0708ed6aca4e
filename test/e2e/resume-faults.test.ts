import { setTimeout as sleep } from 'node:timers/promises'
import { type Weir, openWeir } from '@weir/local/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { rawCallsOf } from './testing/completions.ts'
import { type Customer, asking, customerOf } from './testing/customer.ts'
import { listening, numbers } from './testing/events.ts'
import { type OwnRedis, openOwnRedis } from './testing/own-redis.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

const WORDS = 200

let upstream: Upstream
let redis: OwnRedis
let weir: Weir
let customer: Customer

beforeAll(async () => {
  upstream = await openUpstream()
  redis = await openOwnRedis()
  const env = { REDIS_URL: redis.url }
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), apis: 2, apiEnv: env, workerEnv: env })
  customer = await customerOf(weir)
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await redis?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const callsAt = (url: string) => rawCallsOf(weir, customer.apiKey, url)
const wordsTo = (last: number): string => numbers(1, last).join(' ')

/** Counts, a number every few milliseconds. */
async function count(call: UpstreamCall) {
  for (const number of numbers(1, WORDS)) {
    call.say(number === 1 ? '1' : ` ${number}`)
    await sleep(20)
  }
  call.finish()
}

/** A stream that counts at this replica, and somebody who reads it there. */
async function counting(url: string) {
  const response = await callsAt(url).create({ ...asking('upstream'), stream: true })
  const reader = listening(response)
  const counted = count(await upstream.nextCall())
  await expect.poll(reader.lastId, patiently).toBeGreaterThan(10)
  return { id: response.headers.get('x-weir-completion-id')!, reader, counted }
}

test('a replica whose subscription is killed again and again tells every event once', async () => {
  const { reader, counted } = await counting(weir.url)
  const killer = new Redis(redis.url)

  for (let killed = 0; killed < 5; killed++) {
    const seen = reader.lastId()
    await expect.poll(() => killer.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), patiently).toBeGreaterThan(0)
    await expect.poll(reader.lastId, patiently).toBeGreaterThan(seen)
  }
  killer.disconnect()
  await Promise.all([reader.end, counted])

  expect(reader.text()).toBe(wordsTo(WORDS))
  expect(reader.ids()).toEqual(numbers(1, reader.lastId()))
})

test('a Redis that is restarted with its data costs a stream no event, and tells none twice', async () => {
  const { id, reader, counted } = await counting(weir.url)

  await redis.stop()
  await redis.start('with its data')
  await Promise.all([reader.end, counted])

  expect(reader.text()).toBe(wordsTo(WORDS))
  expect(reader.ids()).toEqual(numbers(1, reader.lastId()))
  expect(await customer.charges(id)).toEqual([0.003])
})

test('a replica that is killed with a stream in its hands loses nothing: its reader goes on at another one', async () => {
  const doomed = await weir.startApi()
  const { id, reader, counted } = await counting(`http://127.0.0.1:${doomed.port}`)

  doomed.kill('SIGKILL')
  await expect(reader.end).rejects.toThrow('terminated')
  await weir.startApi()
  const resumed = listening(callsAt(weir.url).get(`/${id}/stream`, { 'last-event-id': String(reader.lastId()) }))
  await Promise.all([resumed.end, counted])

  expect(reader.text() + resumed.text()).toBe(wordsTo(WORDS))
  expect([...reader.ids(), ...resumed.ids()]).toEqual(numbers(1, resumed.lastId()))
  expect(resumed.events.at(-1)!.data).toBe('[DONE]')
  expect(await customer.charges(id)).toEqual([0.003])
})
