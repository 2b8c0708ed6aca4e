import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchDependencies } from './watch-dependencies.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Two dependencies that a test takes away and brings back. */
function watchFixture() {
  const away = new Set<string>()
  const check = (name: string) => async () => {
    if (away.has(name)) throw new Error(`${name} is away`)
  }
  return { away, watch: watchDependencies({ postgres: check('postgres'), redis: check('redis') }) }
}

test('what answers is not away', async () => {
  const { watch } = watchFixture()
  await vi.advanceTimersByTimeAsync(10_000)

  expect(watch.states()).toEqual({ postgres: 'ok', redis: 'ok' })
  expect(watch.awayMs()).toBe(0)
  expect(watch.answeringMs('redis')).toBe(10_000)
})

test('what does not answer is away from then on, however well the others are', async () => {
  const { away, watch } = watchFixture()
  away.add('redis')
  await vi.advanceTimersByTimeAsync(1_000)

  await vi.advanceTimersByTimeAsync(10_000)

  expect(watch.states()).toEqual({ postgres: 'ok', redis: 'unreachable' })
  expect(watch.awayMs()).toBe(10_000)
  expect(watch.answeringMs('redis')).toBe(0)
})

test('what came back is not away, and answers from then on', async () => {
  const { away, watch } = watchFixture()
  away.add('redis')
  await vi.advanceTimersByTimeAsync(4_500)
  away.clear()
  await vi.advanceTimersByTimeAsync(2_500)

  expect(watch.awayMs()).toBe(0)
  expect(watch.answeringMs('redis')).toBe(2_000)
})

test('a check that hangs is asked once, and says nothing new until it has ended', async () => {
  const check = vi.fn(() => new Promise(() => {}))
  const watch = watchDependencies({ postgres: check })

  await vi.advanceTimersByTimeAsync(60_000)

  expect(check).toHaveBeenCalledTimes(1)
  expect(watch.states()).toEqual({ postgres: 'ok' })
})
