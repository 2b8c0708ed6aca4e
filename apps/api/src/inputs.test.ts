import { expect, test } from 'vitest'
import { credits, creditsEitherWay, creditsOrNone, limit, periodOf, time } from './inputs.ts'

test.each([
  [0.1, 100_000n],
  ['0.000001', 1n],
  [1e-6, 1n],
  [1_000_000_000, 1_000_000_000_000_000n],
])('%s credits are read exactly', (written, amount) => {
  expect(credits.parse(written)).toBe(amount)
  expect(creditsEitherWay.parse(typeof written === 'number' ? -written : `-${written}`)).toBe(-amount)
})

test.each([0, -0, '0', '-0'])('%s credits are a limit, and nothing to give or take', (written) => {
  expect(creditsOrNone.parse(written)).toBe(0n)
  expect(credits.safeParse(written).success).toBe(false)
  expect(creditsEitherWay.safeParse(written).success).toBe(false)
})

test.each([1e-7, Number.NaN, Infinity, 1e21, '1,5', '+1', ' 1', '', true, null, [1]])('%j is no amount', (written) => {
  expect(creditsEitherWay.safeParse(written).success).toBe(false)
})

test('a time is one of ISO 8601, and a day is its midnight in UTC', () => {
  expect(time.parse('2026-01-31')).toEqual(new Date('2026-01-31T00:00:00Z'))
  expect(time.parse('2026-01-31T01:30:00+02:00')).toEqual(new Date('2026-01-30T23:30:00Z'))
  for (const other of ['2026-02-30', '2026-01-31T12:00:00', '1969-12-31', '31.01.2026', 'now', 1_760_000_000])
    expect(time.safeParse(other).success).toBe(false)
})

test('a period is the thirty days before its end, from a midnight on, when nothing else is said', () => {
  const to = new Date('2026-03-31T15:30:00Z')
  expect(periodOf({ to })).toEqual({ from: new Date('2026-03-01T00:00:00Z'), to })
  expect(periodOf({ from: new Date('2026-03-31T15:29:00Z'), to }).from).toEqual(new Date('2026-03-31T15:29:00Z'))
  expect(() => periodOf({ from: to, to })).toThrow("'from' must be before 'to'")
})

test('a limit is a whole number in plain digits, and a hundred when nothing is said', () => {
  expect([limit.parse('1'), limit.parse('0100'), limit.parse('1000'), limit.parse(undefined)]).toEqual([
    1, 100, 1_000, 100,
  ])
  for (const other of ['1e2', '0x10', ' 10', '10 ', '', '1.0', '+1', '-1', '0', '1001', '9'.repeat(17), ['1', '2']])
    expect(limit.safeParse(other).success).toBe(false)
})
