import { expect, test } from 'vitest'
import { formatCredits, parseCredits } from './credits.ts'
import { costOf, quoteOf } from './price.ts'

test.each([
  [1, 1_000_000n],
  ['0.000001', 1n],
  [0.1, 100_000n],
  [5e-6, 5n],
  [1e-6, 1n],
  [123456.789, 123_456_789_000n],
  ['999999999999.999999', 999_999_999_999_999_999n],
  [0, 0n],
])('%s credits are read exactly', (credits, microcredits) => {
  expect(parseCredits(credits)).toBe(microcredits)
})

test.each([-1, 1e-7, 0.0000005, 1e21, Number.NaN, Infinity, '1e3', '1.0000001', '', 'ten', '-0'])(
  '%s is not an amount of credits',
  (credits) => {
    expect(parseCredits(credits)).toBeUndefined()
  },
)

test('credits are written without trailing zeros and read back the same', () => {
  for (const amount of [0n, 1n, 100_000n, 1_500_000n, 999_999_999_999_999_999n])
    expect(parseCredits(formatCredits(amount))).toBe(amount)
  expect(formatCredits(1_500_000n)).toBe('1.5')
  expect(formatCredits(-20n)).toBe('-0.00002')
})

test('a cost is rounded up once, over all kinds of tokens, and never exceeds its quote', () => {
  const price = { input: 400_000n, cachedInput: 100_000n, output: 600_001n }
  const usage = { inputTokens: 1, cachedInputTokens: 1, outputTokens: 1, source: 'reported' } as const
  expect(costOf(price, usage)).toBe(2n)
  expect(quoteOf(price, { inputTokens: 2, maxOutputTokens: 1 })).toBe(2n)
  expect(costOf({ input: 0n, cachedInput: 0n, output: 0n }, usage)).toBe(0n)
})
