import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRepeatedLines } from './repeated-lines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function linesFixture() {
  const write = vi.fn()
  const lines = createRepeatedLines(10_000)
  return {
    written: () => write.mock.calls,
    fail: (kind: string, completion = 'a') => lines.write(kind, { fields: { completion }, message: kind, write }),
  }
}

test('a failure is told at once, and its repetitions as one line with their count', () => {
  const { fail, written } = linesFixture()

  for (let n = 0; n < 1_000; n++) fail('Redis is away', `completion ${n}`)
  expect(written()).toEqual([[{ completion: 'completion 0' }, 'Redis is away']])

  vi.advanceTimersByTime(10_000)
  expect(written().slice(1)).toEqual([[{ completion: 'completion 999', repeated: 999 }, 'Redis is away']])
})

test('a failure that goes on is told once in every interval', () => {
  const { fail, written } = linesFixture()

  for (let second = 0; second < 60; second++) {
    fail('Redis is away')
    vi.advanceTimersByTime(1_000)
  }

  expect(written().map(([{ repeated = 1 }]) => repeated)).toEqual([1, 9, 10, 10, 10, 10, 10])
})

test('failures of different kinds do not hide each other', () => {
  const { fail, written } = linesFixture()

  for (const kind of ['Redis is away', 'Postgres is away', 'Redis is away']) fail(kind)

  expect(written().map(([, message]) => message)).toEqual(['Redis is away', 'Postgres is away'])
})

test('a failure that was gone for an interval is news when it comes back', () => {
  const { fail, written } = linesFixture()
  fail('Redis is away')
  vi.advanceTimersByTime(10_000)

  fail('Redis is away')

  expect(written()).toEqual([
    [{ completion: 'a' }, 'Redis is away'],
    [{ completion: 'a' }, 'Redis is away'],
  ])
})

test('kinds without end are not remembered without end', () => {
  const { fail } = linesFixture()

  for (let n = 0; n < 5_000; n++) fail(`failure ${n}`)

  expect(vi.getTimerCount()).toBe(1_000)
})
