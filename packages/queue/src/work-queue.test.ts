import { openTestRedis } from '@weir/local/testing'
import { openRedis } from '@weir/runtime'
import { expect, test } from 'vitest'
import { openWorkQueue, startWorkers } from './work-queue.ts'

async function fixture() {
  await using resources = new AsyncDisposableStack()
  const { url, prefix } = resources.use(await openTestRedis())
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const connect = async (kind: 'command' | 'blocking') =>
    resources.use(await openRedis(url, { kind, timeoutMs: 10_000, onError }))
  const place = { redis: await connect('command'), prefix, name: 'errands', onError }
  const queue = resources.use(openWorkQueue(place))
  const blocking = await connect('blocking')
  const opened = resources.move()
  return {
    queue,
    errors,
    work: (process: (id: string, signal: AbortSignal) => Promise<void>) =>
      startWorkers({ ...place, redis: blocking, concurrency: 2, lockMs: 15_000, stalledIntervalMs: 5_000, process }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const patiently = { interval: 10, timeout: 20_000 }

test('each id is handed out once, however often it was added, and again when it is added after its end', async () => {
  await using errands = await fixture()
  await errands.queue.add(['a', 'b', 'a'])
  await errands.queue.add(['b'])
  expect(await errands.queue.waiting()).toBe(2)
  const seen: string[] = []
  const workers = errands.work(async (id) => void seen.push(id))

  await expect.poll(() => seen.toSorted(), patiently).toEqual(['a', 'b'])
  await expect
    .poll(async () => {
      await errands.queue.add(['a'])
      return seen.length
    }, patiently)
    .toBeGreaterThan(2)
  await workers.stop(1_000)
})

test('what fails is told and forgotten, so that it can be added again', async () => {
  await using errands = await fixture()
  let calls = 0
  const workers = errands.work(async () => {
    calls += 1
    throw new Error('no')
  })

  await expect
    .poll(async () => {
      await errands.queue.add(['a'])
      return calls
    }, patiently)
    .toBeGreaterThan(1)
  await workers.stop(1_000)
  expect(errands.errors).toContainEqual(new Error('no'))
})

test('what still runs when the grace is over is told to end', async () => {
  await using errands = await fixture()
  const reached = Promise.withResolvers<void>()
  let aborted = false
  const workers = errands.work((_id, signal) => {
    reached.resolve()
    return new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        aborted = true
        resolve()
      }),
    )
  })
  await errands.queue.add(['a'])
  await reached.promise

  await workers.stop(1)
  expect(aborted).toBe(true)
})
