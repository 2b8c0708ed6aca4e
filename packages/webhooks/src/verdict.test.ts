import { expect, test } from 'vitest'
import { retryAfterMsOf } from './retry-after.ts'
import type { Answer } from './send.ts'
import { verdictOf } from './verdict.ts'

const answered = (status: number, retryAfterMs?: number): Answer => ({ kind: 'answered', status, retryAfterMs })
const unanswered: Answer = { kind: 'unanswered', reason: 'timeout', sentence: 'did not answer in time' }
const fresh = { tries: 0, failures: 0 }
const waits = [5_000, 300_000]
const middle = () => 0.5

test.each([200, 201, 204, 299])('%i is a delivery', (status) => {
  expect(verdictOf(answered(status), fresh, waits)).toEqual({ kind: 'delivered', restMs: 0 })
})

test.each([100, 301, 302, 307, 400, 401, 404, 500])('%i is a failure that is tried again', (status) => {
  expect(verdictOf(answered(status), fresh, waits, middle)).toEqual({ kind: 'retry', retryMs: 5_000, restMs: 0 })
})

test('each wait follows the one before it, and after the last one the delivery has failed', () => {
  const at = (tries: number) => verdictOf(unanswered, { tries, failures: tries }, waits, middle)

  expect([at(0).retryMs, at(1).retryMs]).toEqual([5_000, 300_000])
  expect(at(2).kind).toBe('failed')
})

test('waits vary by a tenth either way', () => {
  expect(verdictOf(unanswered, fresh, waits, () => 0).retryMs).toBe(4_500)
  expect(verdictOf(unanswered, fresh, waits, () => 1).retryMs).toBeCloseTo(5_500)
})

test('410 ends it, whatever comes after', () => {
  expect(verdictOf(answered(410), fresh, waits)).toEqual({ kind: 'gone', restMs: 0 })
})

test.each([429, 502, 503, 504])('whoever answers %i is left alone, for as long as it says', (status) => {
  expect(verdictOf(answered(status, 60_000), fresh, waits, () => 0)).toEqual({
    kind: 'retry',
    retryMs: 60_000,
    restMs: 60_000,
  })
  expect(verdictOf(answered(status), fresh, waits, () => 0)).toMatchObject({ retryMs: 10_000, restMs: 10_000 })
})

test('a target that fails again and again is left alone for longer and longer, up to ten minutes', () => {
  const restAfter = (failures: number) => verdictOf(unanswered, { tries: 0, failures }, waits, () => 0).restMs

  expect([0, 3, 4, 5, 6, 30].map(restAfter)).toEqual([0, 0, 5_000, 10_000, 20_000, 600_000])
})

test.each([
  ['7', 7_000],
  ['0', 1_000],
  ['9999999', 3_600_000],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 60_000],
  ['Thu, 01 Jan 1960 00:01:00 GMT', 1_000],
  ['soon', undefined],
  ['-1', undefined],
  ['1e9', undefined],
  [undefined, undefined],
])('Retry-After: %s means %s ms', (text, ms) => {
  expect(retryAfterMsOf(text, 0)).toBe(ms)
})
