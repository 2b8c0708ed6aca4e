import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

/** A worker whose consumer has been silent for so long, and whose Redis answers, or is away, for so long. */
function healthOf({ silentMs = 0, answeringMs = 86_400_000, awayMs = 0 }) {
  const health = createHealth({
    dependencies: { awayMs: () => awayMs, answeringMs: () => answeringMs },
    unreadyAfterMs: 5_000,
  })
  health.watch({ silentMs: () => silentMs })
  health.begin()
  return health
}

test('a worker that asks for jobs is alive and ready', () => {
  const health = healthOf({ silentMs: 20_000 })
  expect([health.live(), health.ready()]).toEqual(['ok', 'ok'])
})

test('a worker that asks for no jobs although Redis answers is dead', () => {
  expect(healthOf({ silentMs: 61_000 }).live()).toBe('asks for no jobs')
})

test.each([
  ['away', 0],
  ['just back', 10_000],
])('a worker that could not ask because Redis is %s is alive', (_, answeringMs) => {
  expect(healthOf({ silentMs: 3_600_000, answeringMs }).live()).toBe('ok')
})

test('a worker without a dependency is not ready once that has lasted, and stays alive', () => {
  expect(healthOf({ awayMs: 4_000 }).ready()).toBe('ok')
  const health = healthOf({ awayMs: 6_000, answeringMs: 0, silentMs: 3_600_000 })
  expect([health.live(), health.ready()]).toEqual(['ok', 'a dependency is away'])
})

test('a worker is not ready before it has begun and while it drains', () => {
  const health = healthOf({})
  health.drain()
  expect([health.live(), health.ready()]).toEqual(['ok', 'draining'])
  const { ready } = createHealth({ dependencies: { awayMs: () => 0, answeringMs: () => 0 }, unreadyAfterMs: 5_000 })
  expect(ready()).toBe('starting')
})
