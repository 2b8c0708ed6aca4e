import { inputTokenBound } from '@weir/backends'
import { type Price, type Usage, costOf, quoteOf } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nothingGenerated, usageOf } from './generate.ts'
import { requestOf } from './testing/service.ts'

const request = requestOf({ maxOutputTokens: 100 })
const bound = inputTokenBound(request)
const HUGE = Number.MAX_SAFE_INTEGER

const tokens = (
  inputTokens: number,
  cachedInputTokens: number,
  outputTokens: number,
  more: Partial<Usage> = {},
): Usage => ({ inputTokens, cachedInputTokens, outputTokens, source: 'reported', ...more })

test.each([
  ['all that it can be', tokens(bound - 3, 3, 100), tokens(bound - 3, 3, 100)],
  ['more output than its cap', tokens(7, 2, 101), tokens(7, 2, 100)],
  ['more input than the prompt has bytes', tokens(bound + 1, 0, 1), tokens(bound, 0, 1)],
  ['more input, most of it cached', tokens(9, bound - 3, 1), tokens(3, bound - 3, 1)],
  ['the largest numbers there are', tokens(HUGE, HUGE, HUGE), tokens(0, bound, 100)],
  [
    'all that it can be, in every kind',
    tokens(1, 2, 40, { cacheWriteTokens: bound - 3, reasoningTokens: 60 }),
    tokens(1, 2, 40, { cacheWriteTokens: bound - 3, reasoningTokens: 60 }),
  ],
  [
    'more input, some of it written to a cache',
    tokens(bound - 9, 4, 1, { cacheWriteTokens: 10 }),
    tokens(bound - 9, 4, 1, { cacheWriteTokens: 5 }),
  ],
  [
    'more output, some of it reasoning',
    tokens(1, 0, 80, { reasoningTokens: 30 }),
    tokens(1, 0, 80, { reasoningTokens: 20 }),
  ],
  ['images of its own', tokens(1, 0, 1, { images: 9 }), tokens(1, 0, 1)],
])('a report of %s counts for what the request could have used', async (_what, reported, counted) => {
  expect(await usageOf(request, { ...nothingGenerated(), reported })).toEqual(counted)
})

const picocredits = fc.bigInt({ min: 0n, max: 10n ** 15n })
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
  },
  { requiredKeys: ['input', 'cachedInput', 'output'] },
)
/** Around what can be, and far beyond it. */
const count = fc.oneof(fc.nat({ max: 2 * bound }), fc.constant(HUGE))
const report: fc.Arbitrary<Usage> = fc.record({
  inputTokens: count,
  cachedInputTokens: count,
  cacheWriteTokens: count,
  outputTokens: count,
  reasoningTokens: count,
  images: count,
  source: fc.constant('reported' as const),
})

test('whatever a backend reports, at whatever price, it costs no more than its request can', async () => {
  const image = { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } } as const
  const asked = requestOf({ choices: 3, messages: [{ role: 'user', content: [image, image] }] })
  const most = { inputTokens: inputTokenBound(asked), maxOutputTokens: 300, images: 2 }

  await fc.assert(
    fc.asyncProperty(price, report, async (price, reported) => {
      const usage = await usageOf(asked, { ...nothingGenerated(), reported })
      expect(costOf(price, usage)).toBeLessThanOrEqual(quoteOf(price, most))
    }),
  )
})

test('a report counts for no more than it says, in any kind', async () => {
  await fc.assert(
    fc.asyncProperty(report, async (reported) => {
      const { source, ...counted } = await usageOf(request, { ...nothingGenerated(), reported })
      expect(source).toBe('reported')
      for (const [kind, tokens] of Object.entries(counted))
        expect(tokens).toBeLessThanOrEqual(reported[kind as keyof typeof counted]!)
    }),
  )
})
