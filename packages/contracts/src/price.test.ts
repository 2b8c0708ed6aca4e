import fc from 'fast-check'
import { expect, test } from 'vitest'
import { affordableOutput, quoteOf } from './price.ts'

const amount = fc.bigInt({ min: 0n, max: 10n ** 15n })
const price = fc.record({
  input: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  cachedInput: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  output: fc.bigInt({ min: 1n, max: 10n ** 9n }),
})

test('what is affordable can be paid, and one token more cannot', () => {
  fc.assert(
    fc.property(price, amount, fc.nat({ max: 100_000 }), (price, amount, inputTokens) => {
      const tokens = affordableOutput(price, amount, { inputTokens })
      const costWith = (maxOutputTokens: number) => quoteOf(price, { inputTokens, maxOutputTokens })
      if (tokens > 0) expect(costWith(tokens)).toBeLessThanOrEqual(amount)
      if (tokens < Number.MAX_SAFE_INTEGER - 1) expect(costWith(tokens + 1)).toBeGreaterThan(amount)
    }),
  )
})

test('output that costs nothing is affordable without end', () => {
  expect(affordableOutput({ input: 1n, cachedInput: 1n, output: 0n }, 1n, { inputTokens: 5 })).toBe(
    Number.MAX_SAFE_INTEGER,
  )
})
