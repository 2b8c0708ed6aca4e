import { newCompletionId } from '@weir/contracts'
import type { Job } from 'bullmq'
import { expect, test, vi } from 'vitest'
import { createLaneWorker } from './lane-worker.ts'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 30_000 }

test.each([
  ['any number of parameters', async (..._all: unknown[]) => {}],
  ['a default for its signal', async (_job: Job, _token?: string, _signal = new AbortController().signal) => {}],
  ['no signal', async (_job: Job) => {}],
])('a worker whose jobs could not be cancelled does not start (a process that takes %s)', async (_, processor) => {
  await using lane = await laneFixture()
  const connection = await lane.connect('blocking')

  expect(() => createLaneWorker('probe', processor, { connection, prefix: lane.prefix })).toThrow('no signal')
})

test('a worker whose process takes a signal can cancel its jobs', async () => {
  await using lane = await laneFixture()
  const connection = await lane.connect('blocking')
  const processor = async (_job: Job, _token?: string, _signal?: AbortSignal) => {}

  const worker = createLaneWorker('probe', processor, { connection, prefix: lane.prefix })

  expect(worker.canCancel()).toBe(true)
  await worker.close()
})

test('a worker asks for jobs as long as it can run one more', async () => {
  await using lane = await laneFixture()
  const held = heldProcess()
  const consumer = await lane.consume(held.process, { concurrency: 1 })
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  expect(consumer.silentMs()).toBe(0)
  held.runs[0]!.release()
  await vi.waitFor(() => expect(consumer.silentMs()).toBeGreaterThan(0), PATIENCE)
  await consumer.stop(0)
  expect(consumer.silentMs()).toBe(0)
})

test('a worker that finds nothing to do asks again and again', async () => {
  await using lane = await laneFixture()
  const consumer = await lane.consume(heldProcess().process)

  await vi.waitFor(() => expect(consumer.silentMs()).toBeGreaterThan(1_000), PATIENCE)
  await vi.waitFor(() => expect(consumer.silentMs()).toBeLessThan(500), PATIENCE)
})

test('a worker whose connection is dead without a word is seen to ask no more', async () => {
  await using lane = await laneFixture()
  const redis = await lane.connect('blocking')
  const consumer = await lane.consume(heldProcess().process, { redis })
  await vi.waitFor(() => expect(consumer.silentMs()).toBeLessThan(1_000), PATIENCE)

  // As when the other end has vanished: what is sent is never answered.
  redis.stream.pause()

  // One that is idle asks every five seconds.
  await vi.waitFor(() => expect(consumer.silentMs()).toBeGreaterThan(7_000), PATIENCE)
  redis.disconnect()
})
