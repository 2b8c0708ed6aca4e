import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, clientOf, customerOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

const CAP = 10

let counting: Upstream
let held: Upstream
let weir: Weir
let running = 0
let mostRunning = 0

beforeAll(async () => {
  counting = await openUpstream(counted)
  held = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ counting: openai(counting), held: openai(held) }),
    apis: 4,
    workers: 2,
    apiEnv: { WEIR_MAX_LIVE_PER_ACCOUNT: String(CAP) },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await counting?.[Symbol.asyncDispose]()
  await held?.[Symbol.asyncDispose]()
})

async function counted(call: UpstreamCall) {
  mostRunning = Math.max(mostRunning, ++running)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  running--
  call.say('Done.')
  call.finish()
}

const statusOf = (asked: Promise<unknown>): Promise<number> =>
  asked.then(
    () => 200,
    (error: { status: number }) => error.status,
  )

test('four replicas together never let more than ten completions of an account live', async () => {
  const { apiKey } = await customerOf(weir, { credits: 100_000 })
  const clients = weir.urls.map((url) => clientOf(apiKey, url))

  const visitor = async (_: unknown, i: number) => {
    const statuses: number[] = []
    for (let visit = 0; visit < 10; visit++)
      statuses.push(await statusOf(clients[(i + visit) % 4]!.chat.completions.create(asking('counting'))))
    return statuses
  }
  const statuses = (await Promise.all(Array.from({ length: 40 }, visitor))).flat()

  expect(mostRunning).toBeLessThanOrEqual(CAP)
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
})

test('the places of a replica that is killed become free', async () => {
  const { apiKey } = await customerOf(weir, { credits: 100_000 })
  const [survivor, doomed] = [weir.urls[0]!, weir.urls.at(-1)!]
  const lost = Array.from({ length: CAP }, () =>
    statusOf(clientOf(apiKey, doomed).chat.completions.create(asking('held'))),
  )
  const calls = await Promise.all(Array.from({ length: CAP }, () => held.nextCall()))
  const ask = () => statusOf(clientOf(apiKey, survivor).chat.completions.create(asking('counting')))
  expect(await ask()).toBe(429)

  weir.apis.at(-1)!.kill('SIGKILL')
  await Promise.all(lost)
  for (const call of calls) call.finish()

  await expect.poll(ask, patiently).toBe(200)
})
