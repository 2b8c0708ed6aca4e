import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type CompletionId, newCompletionId } from '@weir/contracts'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Processed } from './consume.ts'
import { aborted, heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 20_000 }
const done: Processed = { kind: 'done' }

test('every completion on the lane is processed once, by one of the workers', async () => {
  await using lane = await laneFixture()
  const process = vi.fn(async (_: CompletionId) => done)
  const ids = Array.from({ length: 50 }, newCompletionId)
  await Promise.all([lane.consume(process), lane.consume(process)])

  await Promise.all(ids.map(lane.enqueue))

  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(50), PATIENCE)
  expect(process.mock.calls.map(([id]) => id).sort()).toEqual(ids.sort())
})

test('a process is given a signal that is not aborted', async () => {
  await using lane = await laneFixture()
  const given = Promise.withResolvers<AbortSignal>()
  await lane.consume(async (_, signal) => {
    given.resolve(signal)
    return done
  })

  await lane.enqueue(newCompletionId())

  expect((await given.promise).aborted).toBe(false)
})

test('a job that is handed back runs on another worker as if it had never started', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const first = await lane.consume(async (_, signal) => {
    await aborted(signal)
    return { kind: 'hand_back' }
  })
  await lane.enqueue(id)
  await vi.waitFor(async () => expect(await lane.redis.llen(lane.keyOf('active'))).toBe(1), PATIENCE)

  await first.stop(0)
  const { atm: attemptsMade = '0', stc: stalls = '0' } = await lane.redis.hgetall(lane.keyOf(id))
  const second = Promise.withResolvers<CompletionId>()
  await lane.consume(async (given) => (second.resolve(given), done))

  expect(await second.promise).toBe(id)
  expect({ attemptsMade, stalls }).toEqual({ attemptsMade: '0', stalls: '0' })
})

test('a job that is handed back many times is not given up', async () => {
  await using lane = await laneFixture()
  const answers: Processed[] = Array.from({ length: 10 }, () => ({ kind: 'hand_back' }))
  const process = vi.fn(async () => answers.pop() ?? done)
  await lane.consume(process)

  await lane.enqueue(newCompletionId())

  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(11), PATIENCE)
})

test('a later run of a job has a higher number, also when the job is added again', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const process = vi.fn(async (_id: CompletionId, _signal: AbortSignal, _run: number): Promise<Processed> => done)
  process.mockResolvedValueOnce({ kind: 'retry', afterMs: 0 }).mockResolvedValueOnce({ kind: 'hand_back' })
  await lane.consume(process)
  await lane.enqueue(id)
  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)

  await lane.enqueue(id)

  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(4), PATIENCE)
  const runs = process.mock.calls.map(([, , run]) => run)
  expect(runs).toEqual([...new Set(runs)].toSorted((a, b) => a - b))
})

test('a job to be tried again waits aside and then runs again', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const process = vi.fn(async (): Promise<Processed> => done)
  process.mockResolvedValueOnce({ kind: 'retry', afterMs: 300 })
  await lane.consume(process)
  await lane.enqueue(id)

  await vi.waitFor(
    async () => expect(await lane.redis.zrange(lane.keyOf('delayed'), '0', '-1')).toEqual([id]),
    PATIENCE,
  )

  expect(process).toHaveBeenCalledTimes(1)
  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(2), PATIENCE)
})

test('a job whose process throws makes room for the next one of its id', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const process = vi.fn(async (): Promise<Processed> => done)
  process.mockRejectedValueOnce(new Error('a bug of ours'))
  await lane.consume(process)
  await lane.enqueue(id)
  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)

  await lane.enqueue(id)

  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(2), PATIENCE)
})

test('the job of a worker that was killed is run by another', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const script = new URL('./testing/hanging-worker.ts', import.meta.url)
  const child = fork(script, [lane.url, lane.prefix], { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await lane.enqueue(id)
  await once(child, 'message')

  child.kill('SIGKILL')
  const second = Promise.withResolvers<CompletionId>()
  const process = async (given: CompletionId) => (second.resolve(given), done)
  await lane.consume(process, { lockMs: 1_000, stalledIntervalMs: 500 })

  expect(await second.promise).toBe(id)
})

test('a worker that has lost its lock is told to stop', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const held = heldProcess()
  await lane.consume(held.process, { lockMs: 500, stalledIntervalMs: 60_000 })
  await lane.enqueue(id)
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  await lane.redis.del(lane.keyOf(`${id}:lock`))

  expect(await aborted(held.runs[0]!.signal)).toBe('lock lost')
  held.runs[0]!.release()
})

test('two attempts of one completion never run at once in one process', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const held = heldProcess()
  await lane.consume(held.process, { lockMs: 1_000, stalledIntervalMs: 200 })
  await lane.enqueue(id)
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  await lane.redis.del(lane.keyOf(`${id}:lock`))
  // The job is taken for stalled and fetched again, and the newer attempt is put aside.
  await vi.waitFor(async () => expect(await lane.redis.zcard(lane.keyOf('delayed'))).toBe(1), {
    ...PATIENCE,
    interval: 5,
  })
  held.runs[0]!.release()
  await vi.waitFor(() => expect(held.runs).toHaveLength(2), PATIENCE)
  held.runs[1]!.release()

  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)
  expect(held.mostAtOnce()).toBe(1)
})

test('a worker that stops takes no more jobs and waits for those it has', async () => {
  await using lane = await laneFixture()
  const held = heldProcess()
  const consumer = await lane.consume(held.process, { concurrency: 1 })
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)
  const waiting = newCompletionId()

  const stopped = consumer.stop(60_000)
  await lane.enqueue(waiting)
  held.runs[0]!.release()
  await stopped

  expect(held.runs[0]!.signal.aborted).toBe(false)
  expect(await lane.redis.lrange(lane.keyOf('wait'), 0, -1)).toEqual([waiting])
})

test('a worker whose grace has ended tells its jobs that it shuts down', async () => {
  await using lane = await laneFixture()
  const held = heldProcess()
  const consumer = await lane.consume(held.process)
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  const stopped = consumer.stop(1)

  expect(await aborted(held.runs[0]!.signal)).toBe('shutdown')
  held.runs[0]!.release()
  await stopped
})
