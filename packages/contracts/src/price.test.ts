import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Price, affordableOutput, batchPriceOf, costOf, costParts, quoteOf, sumOfParts } from './price.ts'
import { type UsageCounts, generatedTokens, promptTokens } from './usage.ts'

const picocredits = fc.bigInt({ min: 0n, max: 10n ** 15n })
/** Any of its parts may be free, dear, or not said at all. */
const price: fc.Arbitrary<Price> = fc.record(
  {
    input: picocredits,
    cachedInput: picocredits,
    cacheWrite: picocredits,
    output: picocredits,
    reasoning: picocredits,
    image: picocredits,
    request: picocredits,
    minimum: picocredits,
    batchDiscount: fc.nat({ max: 100 }),
  },
  { requiredKeys: ['input', 'cachedInput', 'output'] },
)
const tokens = fc.nat({ max: 1_000_000 })
const usage: fc.Arbitrary<UsageCounts> = fc.record(
  {
    inputTokens: tokens,
    cachedInputTokens: tokens,
    cacheWriteTokens: tokens,
    outputTokens: tokens,
    reasoningTokens: tokens,
    images: fc.nat({ max: 100 }),
  },
  { requiredKeys: ['inputTokens', 'cachedInputTokens', 'outputTokens'] },
)
const amount = fc.bigInt({ min: 0n, max: 10n ** 18n })

const PICO = 1_000_000n
const nothing: UsageCounts = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 }

test('no usage within its bound costs more than was quoted, however its tokens are told apart', () => {
  fc.assert(
    fc.property(price, usage, fc.nat({ max: 10 }), fc.nat({ max: 10 }), (price, usage, input, output) => {
      const bound = {
        inputTokens: promptTokens(usage) + input,
        maxOutputTokens: generatedTokens(usage) + output,
        images: usage.images ?? 0,
      }
      expect(costOf(price, usage)).toBeLessThanOrEqual(quoteOf(price, bound))
    }),
  )
})

test('the quote of what is all in the dearest kinds is exactly what that costs', () => {
  const price = { input: 3n * PICO, cachedInput: PICO, cacheWrite: 4n * PICO, output: 5n * PICO, reasoning: 6n * PICO }
  const dearest = { ...nothing, cacheWriteTokens: 10, reasoningTokens: 20, images: 2 }
  const all = { ...price, image: 7n * PICO, request: 8n * PICO }

  expect(costOf(all, dearest)).toBe(40n + 120n + 14n + 8n)
  expect(quoteOf(all, { inputTokens: 10, maxOutputTokens: 20, images: 2 })).toBe(costOf(all, dearest))
})

test('a cost is the sum of its parts or the minimum, rounded up once', () => {
  fc.assert(
    fc.property(price, usage, (price, usage) => {
      const cost = costOf(price, usage)
      const sum = sumOfParts(costParts(price, usage))
      const least = price.minimum ?? 0n
      const exact = sum > least ? sum : least
      expect(cost * PICO).toBeGreaterThanOrEqual(exact)
      expect((cost - 1n) * PICO).toBeLessThan(exact)
    }),
  )
})

test('tokens without a price of their own cost what stands for them, and images and requests nothing', () => {
  const price = { input: 3n * PICO, cachedInput: PICO, output: 5n * PICO }
  const costWith = (usage: Partial<UsageCounts>) => costOf(price, { ...nothing, ...usage })

  expect(costWith({ cacheWriteTokens: 2 })).toBe(costWith({ inputTokens: 2 }))
  expect(costWith({ reasoningTokens: 2 })).toBe(costWith({ outputTokens: 2 }))
  expect(costWith({ images: 1_000 })).toBe(0n)
})

test('the price of a request is added to its tokens; a minimum is not', () => {
  const tokens = { input: PICO, cachedInput: PICO, output: PICO }
  const ten = { ...nothing, inputTokens: 10 }

  expect(costOf({ ...tokens, request: 5n * PICO }, ten)).toBe(15n)
  expect(costOf({ ...tokens, minimum: 5n * PICO }, ten)).toBe(10n)
  expect(costOf({ ...tokens, minimum: 12n * PICO }, ten)).toBe(12n)
  expect(costOf({ ...tokens, request: 5n * PICO, minimum: 12n * PICO }, ten)).toBe(15n)
})

test('a line of a batch is never dearer, and with a discount of everything it is free', () => {
  fc.assert(
    fc.property(price, usage, (price, usage) => {
      expect(costOf(batchPriceOf(price), usage)).toBeLessThanOrEqual(costOf(price, usage))
      expect(costOf(batchPriceOf({ ...price, batchDiscount: 100 }), usage)).toBe(0n)
      expect(costOf(batchPriceOf({ ...price, batchDiscount: 0 }), usage)).toBe(costOf(price, usage))
    }),
  )
})

test('a discount takes the same share of every part of a price, down to the picocredit', () => {
  const all = { input: 3n, cachedInput: 1n, cacheWrite: 5n, output: 10n, reasoning: 20n, image: 30n, request: 40n }

  expect(batchPriceOf({ ...all, minimum: 50n, batchDiscount: 50 })).toEqual({
    input: 1n,
    cachedInput: 0n,
    cacheWrite: 2n,
    output: 5n,
    reasoning: 10n,
    image: 15n,
    request: 20n,
    minimum: 25n,
  })
})

test('what is affordable can be paid, and one token more cannot', () => {
  fc.assert(
    fc.property(price, amount, tokens, fc.nat({ max: 100 }), (price, amount, inputTokens, images) => {
      const tokens = affordableOutput(price, amount, { inputTokens, images })
      const costWith = (maxOutputTokens: number) => quoteOf(price, { inputTokens, maxOutputTokens, images })
      if (tokens > 0) expect(costWith(tokens)).toBeLessThanOrEqual(amount)
      if (tokens < Number.MAX_SAFE_INTEGER) expect(costWith(tokens + 1)).toBeGreaterThan(amount)
    }),
  )
})

test('output that costs nothing is affordable without end', () => {
  expect(affordableOutput({ input: 1n, cachedInput: 1n, output: 0n }, 1n, { inputTokens: 5 })).toBe(
    Number.MAX_SAFE_INTEGER,
  )
})

test('what would cost more than the books can hold is quoted at all that they can hold', () => {
  const price = { input: 10n ** 15n, cachedInput: 0n, output: 0n }
  const most = 2n ** 63n - 1n

  expect(quoteOf(price, { inputTokens: Number.MAX_SAFE_INTEGER, maxOutputTokens: 1 })).toBe(most)
  expect(quoteOf(price, { inputTokens: 9_000_000_000, maxOutputTokens: 1 })).toBeLessThan(most)
})
