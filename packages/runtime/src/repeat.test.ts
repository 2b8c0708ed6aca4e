import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { repeat } from './repeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A task whose runs end when the test says so. */
function taskFixture() {
  const runs: { signal: AbortSignal; end(): void; fail(error: unknown): void }[] = []
  const task = vi.fn((signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    runs.push({ signal, end: resolve, fail: reject })
    return promise
  })
  return { runs, task }
}

test('the first run begins at once and the next one the interval after it has ended, never beside it', async () => {
  const { runs, task } = taskFixture()
  repeat(1_000, task, () => {})
  expect(runs).toHaveLength(1)

  await vi.advanceTimersByTimeAsync(10_000)
  expect(runs).toHaveLength(1)

  runs[0]!.end()
  await vi.advanceTimersByTimeAsync(999)
  expect(runs).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(runs).toHaveLength(2)
})

test('a run that fails is told, and the next one comes all the same', async () => {
  const { runs, task } = taskFixture()
  const onError = vi.fn()
  repeat(1_000, task, onError)
  const failure = new Error('Redis is away')

  runs[0]!.fail(failure)
  await vi.advanceTimersByTimeAsync(1_000)

  expect(onError.mock.calls).toEqual([[failure]])
  expect(runs).toHaveLength(2)
})

test('disposal tells the running task to stop, waits for it and starts no other', async () => {
  const { runs, task } = taskFixture()
  const repeated = repeat(1_000, task, () => {})
  const told: string[] = []

  const disposed = repeated[Symbol.asyncDispose]().then(() => told.push('disposed'))
  expect(runs[0]!.signal.aborted).toBe(true)
  await vi.advanceTimersByTimeAsync(10_000)
  told.push('the task ends')
  runs[0]!.end()
  await disposed

  expect(told).toEqual(['the task ends', 'disposed'])
  expect(task).toHaveBeenCalledTimes(1)
})

test('disposal does not wait for the next interval', async () => {
  const { runs, task } = taskFixture()
  const repeated = repeat(86_400_000, task, () => {})
  runs[0]!.end()
  await vi.advanceTimersByTimeAsync(1)

  await repeated[Symbol.asyncDispose]()

  expect(task).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('what begins later does not run at once, and disposal does not wait for its interval', async () => {
  let runs = 0
  const repeating = repeat(
    3_600_000,
    async () => void (runs += 1),
    () => {},
    'later',
  )

  await repeating[Symbol.asyncDispose]()

  expect(runs).toBe(0)
})
