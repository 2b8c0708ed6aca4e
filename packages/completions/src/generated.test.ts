import { inputTokenBound } from '@weir/backends'
import { type Price, type Usage, costOf, quoteOf } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasText, nothingGenerated, usageOf } from './generated.ts'
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

/** What is left of a report that said more than could be. */
const capped = (...counts: Parameters<typeof tokens>): Usage => ({ ...tokens(...counts), source: 'capped' })

test.each([
  ['all that it can be', tokens(bound - 3, 3, 100), tokens(bound - 3, 3, 100)],
  ['more output than its cap', tokens(7, 2, 101), capped(7, 2, 100)],
  ['more input than the prompt has bytes', tokens(bound + 1, 0, 1), capped(bound, 0, 1)],
  ['more input, most of it cached', tokens(9, bound - 3, 1), capped(3, bound - 3, 1)],
  ['the largest numbers there are', tokens(HUGE, HUGE, HUGE), capped(0, bound, 100)],
  [
    'all that it can be, in every kind',
    tokens(1, 2, 40, { cacheWriteTokens: bound - 3, reasoningTokens: 60 }),
    tokens(1, 2, 40, { cacheWriteTokens: bound - 3, reasoningTokens: 60 }),
  ],
  [
    'more input, some of it written to a cache',
    tokens(bound - 9, 4, 1, { cacheWriteTokens: 10 }),
    capped(bound - 9, 4, 1, { cacheWriteTokens: 5 }),
  ],
  [
    'more output, some of it reasoning',
    tokens(1, 0, 80, { reasoningTokens: 30 }),
    capped(1, 0, 80, { reasoningTokens: 20 }),
  ],
  ['images of its own', tokens(1, 0, 1, { images: 9 }), tokens(1, 0, 1)],
])('a report of %s counts for what the request could have used', async (_what, reported, counted) => {
  expect(await usageOf(request, { ...nothingGenerated(), reported })).toEqual(counted)
})

const soFar = (usage: Usage) => ({ soFar: { target: 'gpu/small', usage } })
const says = (...words: string[]) => ({
  choices: words.map((text, index) => ({
    index,
    parts: [{ type: 'text' as const, text }],
    finishReason: 'stop' as const,
  })),
})

test.each([
  ['the prompt, and nothing has been written', soFar(tokens(7, 2, 0)), tokens(7, 2, 0)],
  ['the prompt', { ...soFar(tokens(7, 2, 0)), ...says('Water is lazy.') }, tokens(7, 2, 4, { source: 'estimated' })],
  [
    'some of what was written',
    { ...soFar(tokens(7, 2, 1, { reasoningTokens: 2 })), ...says('Water is lazy.', 'Water is lazy.') },
    tokens(7, 2, 6, { reasoningTokens: 2, source: 'estimated' }),
  ],
  ['more than can be seen', { ...soFar(tokens(7, 2, 9)), ...says('Water is lazy.') }, tokens(7, 2, 9)],
  ['more input than can be', soFar(tokens(HUGE, 3, 0)), capped(bound - 3, 3, 0)],
])('where an answer broke off whose backend had told of %s, the rest is counted', async (_what, generated, counted) => {
  expect(await usageOf(request, { ...nothingGenerated(), ...generated })).toEqual(counted)
})

test('what the end of an answer reports stands for all that was told before', async () => {
  const generated = { ...nothingGenerated(), ...soFar(tokens(7, 2, 30)), reported: tokens(7, 2, 10) }

  expect(await usageOf(request, generated)).toEqual(tokens(7, 2, 10))
})

test.each([
  ['text', true, [{ type: 'text', text: 'a' }]],
  ['reasoning that is not shown but signed', true, [{ type: 'reasoning', text: '', signature: 'sig' }]],
  ['reasoning that has only begun', false, [{ type: 'reasoning', text: '' }]],
  ['nothing', false, []],
] as const)('whether %s counts as said: %s', (_what, said, parts) => {
  const choices = [{ index: 0, parts: [...parts], finishReason: 'stop' as const }]
  expect(hasText({ ...nothingGenerated(), choices })).toBe(said)
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
      let isLess = false
      for (const [kind, tokens] of Object.entries(counted)) {
        const said = reported[kind as keyof typeof counted]!
        expect(tokens).toBeLessThanOrEqual(said)
        isLess ||= kind !== 'images' && tokens < said
      }
      // Buckets that are empty are left out.
      const isEmptied = (['cacheWriteTokens', 'reasoningTokens'] as const).some(
        (kind) => (counted[kind] ?? 0) < (reported[kind] ?? 0),
      )
      expect(source).toBe(isLess || isEmptied ? 'capped' : 'reported')
    }),
  )
})
