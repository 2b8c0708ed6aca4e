import type { App } from '@weir/local'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf, reading, textOf } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  const workerEnv = { WEIR_LOCK_MS: '1500', WEIR_STALLED_INTERVAL_MS: '500' }
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), workers: 0, workerEnv })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** A worker that has every call to itself, until a second one comes. */
async function loneWorker(): Promise<App> {
  await Promise.all(weir.workers.map((worker) => worker.stop()))
  return weir.startWorker()
}

const plain = asking('upstream')
const streamed = { ...plain, stream: true } as const

test('a worker that is frozen in the middle of a stream is not heard again, and the stream costs nothing', async () => {
  const { client, charges, credits } = await customerOf(weir)
  const worker = await loneWorker()
  const reader = reading(client.chat.completions.create(streamed))
  const call = await upstream.nextCall()
  call.say('Half an ans')
  await expect.poll(reader.text, patiently).toBe('Half an ans')
  await weir.startWorker()

  worker.kill('SIGSTOP')
  const failure = await failureOf(reader.end)
  call.say('wer from long ago.')
  call.finish({ prompt: 1, completion: 500 })
  worker.kill('SIGCONT')
  await hasSettledDown(worker)

  expect(failure).toMatchObject({ code: 'stream_interrupted' })
  expect(reader.text()).toBe('Half an ans')
  expect(reader.finished()).toBe(false)
  expect(await charges()).toEqual([])
  expect(await credits()).toEqual({ balance: 100, reserved: 0, available: 100 })
})

test('a worker that is frozen before the first word of a stream is replaced, and its words are dropped', async () => {
  const { client, charges, credits } = await customerOf(weir)
  const worker = await loneWorker()
  const asked = client.chat.completions.create(streamed).then(textOf)
  const stale = await upstream.nextCall()
  await weir.startWorker()

  worker.kill('SIGSTOP')
  const fresh = await upstream.nextCall()
  stale.say('From long ago.')
  fresh.say('Fresh ')
  worker.kill('SIGCONT')
  await stale.closed
  finish(fresh, 'water.')

  expect(await asked).toBe('Fresh water.')
  await hasSettledDown(worker)
  expect(await charges()).toEqual([0.003])
  expect((await credits()).reserved).toBe(0)
})

test('a worker that is frozen in a plain call is replaced unseen, and one answer is charged', async () => {
  const { client, charges, credits } = await customerOf(weir)
  const worker = await loneWorker()
  const asked = client.chat.completions.create(plain).then(plainTextOf)
  const stale = await upstream.nextCall()
  stale.say('Half an ans')
  await weir.startWorker()

  worker.kill('SIGSTOP')
  finish(await upstream.nextCall(), 'A whole answer.')
  expect(await asked).toBe('A whole answer.')
  finish(stale, 'wer from long ago.', 500)
  worker.kill('SIGCONT')
  await hasSettledDown(worker)

  expect(await charges()).toEqual([0.003])
  expect((await credits()).reserved).toBe(0)
})

test('a worker that is frozen for less than its lock goes on as if nothing had been', async () => {
  const { client, charges } = await customerOf(weir)
  const worker = await loneWorker()
  const asked = client.chat.completions.create(streamed).then(textOf)
  const call = await upstream.nextCall()
  call.say('Rivers ')

  worker.kill('SIGSTOP')
  call.say('bend ')
  worker.kill('SIGCONT')
  finish(call, 'slowly.')

  expect(await asked).toBe('Rivers bend slowly.')
  expect(await charges()).toEqual([0.003])
})

function finish(call: UpstreamCall, text: string, tokens = 1) {
  call.say(text)
  call.finish({ prompt: 1, completion: tokens })
}

/** Whatever it still had to say, it has said or dropped: it is idle, for it ends at once when it is told to. */
async function hasSettledDown(worker: App) {
  worker.kill('SIGTERM')
  expect(await worker.exited).toEqual({ code: 0, signal: null })
}
