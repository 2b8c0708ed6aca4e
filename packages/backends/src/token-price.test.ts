import { quoteOf } from '@weir/contracts'
import { expect, test } from 'vitest'
import { DEAREST_TOKEN, MOST_TOKENS, tokenPriceOf } from './token-price.ts'

const priceOf = (input: string, per = '1000000') => tokenPriceOf({ input, output: '0', per })

test.each([
  ['0.15', '1000000', 150_000n],
  ['.075', '1000000', 75_000n],
  ['0.60', '1e6', 600_000n],
  ['0.1500000000000000000000', '1000000', 150_000n],
  ['0.000000000001', '1', 1n],
  ['1e-7', '1', 100_000n],
  ['3', '3', 1_000_000_000_000n],
  ['0', '1', 0n],
  ['1000', '1', 1_000_000_000_000_000n],
])('%s credits for %s tokens is a whole number of picocredits each', (input, per, picocredits) => {
  expect(priceOf(input, per)).toMatchObject({ price: { input: picocredits, cachedInput: picocredits } })
})

test.each([
  ['0.1500000000000000001', '1000000', 'input'],
  ['1', '3', 'input'],
  ['-1', '1000000', 'input'],
  ['.inf', '1000000', 'input'],
  ['2000000', '1', 'input'],
  ['1000.000000000001', '1', 'input'],
  ['1', '0', 'per'],
  ['1', '0.5', 'per'],
])('%s credits for %s tokens is refused', (input, per, field) => {
  expect(priceOf(input, per)).toEqual({ problems: [{ field, message: expect.any(String) }] })
})

/** What a request body may have at most. */
const GIBIBYTE = 1_073_741_824

test('the dearest price of the longest request is an amount that the books can hold', () => {
  const price = { input: DEAREST_TOKEN, cachedInput: DEAREST_TOKEN, output: DEAREST_TOKEN }

  const quote = quoteOf(price, { inputTokens: 2 * GIBIBYTE, maxOutputTokens: MOST_TOKENS })

  expect(quote).toBeLessThan(2n ** 63n)
})
