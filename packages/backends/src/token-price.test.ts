import { quoteOf } from '@weir/contracts'
import { expect, test } from 'vitest'
import { DEAREST, MOST_TOKENS, type WrittenPrice, tokenPriceOf } from './token-price.ts'

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
  ['1e-13', '0', 'per'],
])('%s credits for %s tokens is refused', (input, per, field) => {
  expect(priceOf(input, per)).toEqual({ problems: [{ field, message: expect.any(String) }] })
})

test('every part of a price is read, and what is not said is absent', () => {
  const tokens = { input: '3', cachedInput: '0.3', cacheWrite: '3.75', output: '15', reasoning: '12', per: '1000000' }

  const others = { image: '0.001', request: '0.000001', minimum: '1000', batchDiscount: '50' }

  expect(tokenPriceOf({ ...tokens, ...others })).toEqual({
    price: {
      input: 3_000_000n,
      cachedInput: 300_000n,
      cacheWrite: 3_750_000n,
      output: 15_000_000n,
      reasoning: 12_000_000n,
      image: 1_000_000_000n,
      request: 1_000_000n,
      minimum: 10n ** 15n,
      batchDiscount: 50,
    },
  })
  expect(tokenPriceOf({ input: '3', output: '15', per: '1' })).toEqual({
    price: { input: 3n * 10n ** 12n, cachedInput: 3n * 10n ** 12n, output: 15n * 10n ** 12n },
  })
})

test.each<[Partial<WrittenPrice>, string, RegExp]>([
  [{ cacheWrite: '1e-13' }, 'cache_write', /finer than one picocredit/],
  [{ reasoning: '1001' }, 'reasoning', /a thousand credits per token/],
  [{ image: '0.0000001' }, 'image', /finer than one microcredit/],
  [{ request: '1000.000001' }, 'request', /more than a thousand credits$/],
  [{ minimum: '-1' }, 'minimum', /0 or more/],
  [{ batchDiscount: '101' }, 'batch_discount', /0 to 100/],
  [{ batchDiscount: '0.5' }, 'batch_discount', /0 to 100/],
  [{ batchDiscount: '-1' }, 'batch_discount', /0 to 100/],
])('a price with %j is refused', (part, field, message) => {
  expect(tokenPriceOf({ input: '0', output: '0', per: '1', ...part })).toEqual({
    problems: [{ field, message: expect.stringMatching(message) }],
  })
})

/** What a request body may have at most. */
const GIBIBYTE = 1_073_741_824

test('the dearest price of the longest request is an amount that the books can hold', () => {
  const dearest = { input: DEAREST, cachedInput: DEAREST, cacheWrite: DEAREST, output: DEAREST, reasoning: DEAREST }
  const price = { ...dearest, image: DEAREST, request: DEAREST, minimum: DEAREST }

  const quote = quoteOf(price, { inputTokens: 2 * GIBIBYTE, maxOutputTokens: MOST_TOKENS, images: GIBIBYTE })

  expect(quote).toBeLessThan(2n ** 63n - 1n)
})
