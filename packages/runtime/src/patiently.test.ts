import { onTestFinished, expect, test, vi } from 'vitest'
import { patiently } from './patiently.ts'

const away = new Error('Connection is closed.')

/** Work that fails as it is told; time stands still until the test moves it. */
function workFixture() {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  return vi.fn(async () => 'done')
}

test('work is repeated until its dependency is back', async () => {
  const work = workFixture().mockRejectedValueOnce(away).mockRejectedValueOnce(away)

  const result = patiently(work, 1_000)
  await vi.advanceTimersByTimeAsync(500)

  expect(await result).toBe('done')
  expect(work).toHaveBeenCalledTimes(3)
})

test('work whose dependency stays away fails once patience has ended, and is not done any more', async () => {
  const work = workFixture().mockRejectedValue(away)

  const failure = patiently(work, 1_000).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(1_000)
  const times = work.mock.calls.length
  await vi.advanceTimersByTimeAsync(10_000)

  expect(await failure).toBe(away)
  expect(times).toBeGreaterThan(1)
  expect(work).toHaveBeenCalledTimes(times)
})

test('work that is wrong fails at once', async () => {
  const wrong = new TypeError('a bug of ours')
  const work = workFixture().mockRejectedValue(wrong)

  await expect(patiently(work, 1_000)).rejects.toBe(wrong)

  expect(work).toHaveBeenCalledOnce()
})

test('whoever stops the work stops its repetition, but not the first try', async () => {
  const work = workFixture().mockRejectedValue(away)

  await expect(patiently(work, 1_000, AbortSignal.abort())).rejects.toBe(away)

  expect(work).toHaveBeenCalledOnce()
})
