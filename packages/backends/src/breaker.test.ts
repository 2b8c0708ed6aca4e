import { expect, test } from 'vitest'
import { type BreakerOptions, createBreaker } from './breaker.ts'

/** Probes at once, or never: no test waits for a clock. */
const atOnce = { firstProbeMs: 0, longestProbeMs: 0 }
const never = { firstProbeMs: 3_600_000, longestProbeMs: 3_600_000 }

function breakerFixture(options: BreakerOptions) {
  const breaker = createBreaker(options)
  const call = async (end: 'well' | 'badly' | 'unknown') => {
    const tell = breaker.begin()
    tell?.(end)
    // What is told is taken note of within the turn.
    await new Promise((resolve) => setImmediate(resolve))
    return tell ? 'let' : 'refused'
  }
  const calls = async (end: 'well' | 'badly' | 'unknown', times: number) => {
    for (let i = 0; i < times; i += 1) await call(end)
  }
  return { ...breaker, call, calls }
}

test('a target that fails again and again is called no more', async () => {
  const breaker = breakerFixture(never)

  await breaker.calls('badly', 4)
  expect(breaker.state()).toBe('closed')
  await breaker.call('badly')

  expect(breaker.state()).toBe('open')
  expect(await breaker.call('well')).toBe('refused')
})

test('a few failures among many answers open nothing', async () => {
  const breaker = breakerFixture(never)

  for (let i = 0; i < 20; i += 1) await breaker.calls(i % 3 === 0 ? 'badly' : 'well', 1)

  expect(breaker.state()).toBe('closed')
})

test('calls that were called off say nothing about a target', async () => {
  const breaker = breakerFixture(never)

  await breaker.calls('badly', 4)
  await breaker.calls('unknown', 20)

  expect(breaker.state()).toBe('closed')
})

test('one probe goes through at a time, and its success lets everybody in again', async () => {
  const breaker = breakerFixture(atOnce)
  await breaker.calls('badly', 5)

  const probe = breaker.begin()
  expect(breaker.state()).toBe('half_open')
  expect(breaker.begin()).toBeUndefined()
  probe?.('well')
  await new Promise((resolve) => setImmediate(resolve))

  expect(breaker.state()).toBe('closed')
  expect(await breaker.call('well')).toBe('let')
})

test.each(['badly', 'unknown'] as const)('a probe that ends %s leaves the breaker open', async (end) => {
  const breaker = breakerFixture(atOnce)
  await breaker.calls('badly', 5)

  expect(await breaker.call(end)).toBe('let')

  expect(breaker.state()).toBe('open')
})

test('a call that was turned away during a probe does not become the next one', async () => {
  const breaker = breakerFixture(atOnce)
  await breaker.calls('badly', 5)

  const probe = breaker.begin()
  expect(await breaker.call('well')).toBe('refused')
  probe?.('badly')
  await new Promise((resolve) => setImmediate(resolve))

  expect(breaker.state()).toBe('open')
  expect(await breaker.call('well')).toBe('let')
})

test('whoever watches is told of each change', async () => {
  const seen: string[] = []
  const breaker = breakerFixture({ ...atOnce, onChange: (state) => seen.push(state) })

  await breaker.calls('badly', 5)
  await breaker.call('well')

  expect(seen).toEqual(['open', 'half_open', 'closed'])
})
