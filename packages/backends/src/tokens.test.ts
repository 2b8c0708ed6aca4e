import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CompletionRequest, Message } from '@weir/contracts'
import { requestOf } from './testing/requests.ts'
import { countedInputBound, estimateTokens, inputTokenBound, promptText, roughInputTokens } from './tokens.ts'

const samples = {
  English: 'A weir holds back the water and lets it pass over the sill. ',
  Chinese: '河流為什麼會彎曲',
  emoji: '👩🏽‍🚀🏞️🧑‍🤝‍🧑',
  'broken characters': '\ud83d\udc00\ud83d',
  digits: '3141592653589793',
  'special tokens': '<|endoftext|><|im_start|>',
  spaces: '   \t\n \r\n',
}

test.each(Object.entries(samples))('no prompt of %s has more tokens than its bound', async (_what, sample) => {
  const content = sample.repeat(40)
  const inParts = requestOf({ messages: [{ role: 'user', content: [{ type: 'text', text: content }] }] })

  const tokens = await estimateTokens(content)

  expect(inputTokenBound(requestOf({ messages: [{ role: 'user', content }] }))).toBeGreaterThan(tokens)
  expect(inputTokenBound(inParts)).toBeGreaterThan(tokens)
})

test('an estimate counts as the tokenizer does, to within a hundredth when the text is long', async () => {
  const text = samples.English.repeat(500)
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')

  expect(await estimateTokens('')).toBe(0)
  expect(await estimateTokens(samples.English)).toBe(countTokens(samples.English))
  expect(Math.abs((await estimateTokens(text)) / countTokens(text) - 1)).toBeLessThan(0.01)
})

test('counting a huge text lets others have their turn, and its end is extrapolated', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)

  const tokens = await estimateTokens('qzjxkv'.repeat(200_000))
  clearInterval(timer)

  expect(turns).toBeGreaterThan(5)
  expect(tokens % 3).toBe(0)
})

type UserContent = Extract<Message, { role: 'user' }>['content']
const shown = (...content: Exclude<UserContent, string>) => requestOf({ messages: [{ role: 'user', content }] })

const unicode = fc.string({ unit: 'binary', maxLength: 300 })
const tool = fc.record({
  kind: fc.constantFrom('function' as const, 'custom' as const),
  name: fc.string({ maxLength: 20 }),
  description: unicode,
  parameters: fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue() as fc.Arbitrary<unknown>, { maxKeys: 5 }),
})
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constantFrom('system' as const, 'user' as const), content: unicode, name: unicode }),
  fc.record({
    role: fc.constant('assistant' as const),
    content: fc.array(
      fc.oneof(
        fc.record({ type: fc.constantFrom('text' as const, 'refusal' as const, 'reasoning' as const), text: unicode }),
        fc.record({
          type: fc.constant('tool_call' as const),
          id: unicode,
          kind: fc.constant('function' as const),
          name: unicode,
          arguments: unicode,
        }),
      ),
    ),
  }),
  fc.record({ role: fc.constant('tool' as const), callId: unicode, content: unicode }),
)

test('whatever is asked, its text has no more tokens than the bound, and the counted bound is between them', async () => {
  const request = fc.record({
    messages: fc.array(message, { minLength: 1, maxLength: 5 }),
    tools: fc.array(tool, { maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ messages, tools }) => {
      const asked = requestOf({ messages, ...(tools.length > 0 && { tools }) })
      const tokens = await estimateTokens(promptText(asked))
      const counted = await countedInputBound(asked)
      expect(counted).toBeGreaterThanOrEqual(tokens)
      expect(inputTokenBound(asked)).toBeGreaterThanOrEqual(counted)
    }),
    { numRuns: 200 },
  )
})

test.each<[string, CompletionRequest, number]>([
  [
    'an image of eight tiles, as gpt-4o-mini counts',
    shown({ type: 'image', source: { kind: 'url', url: 'https://example.com/a' } }),
    48_169,
  ],
  [
    'an image in low detail',
    shown({ type: 'image', detail: 'low', source: { kind: 'url', url: 'https://example.com/a' } }),
    2_833,
  ],
  ['a minute of sound', shown({ type: 'audio', format: 'mp3', data: 'A'.repeat(80_000) }), 60 * 32],
  [
    'a file that nobody has seen',
    shown({ type: 'file', source: { kind: 'url', url: 'https://example.com/a' } }),
    1_000_000,
  ],
  [
    'a page',
    shown({ type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'A'.repeat(1_400) } }),
    3_000,
  ],
  ['a text as a file', shown({ type: 'file', name: 'a.txt', source: { kind: 'text', text: '字'.repeat(500) } }), 1_500],
  ['the words about tools', requestOf({ tools: [{ kind: 'function', name: 'a' }] }), 600],
])('%s is within the bound', (_what, request, tokens) => {
  expect(inputTokenBound(request)).toBeGreaterThanOrEqual(tokens)
})

test('an image in low detail is bound to less than another', () => {
  const source = { kind: 'url', url: 'https://example.com/a' } as const
  expect(inputTokenBound(shown({ type: 'image', source, detail: 'low' }))).toBeLessThan(4_000)
})

test('a rough estimate takes what is no text at what is usual', () => {
  const url = { kind: 'url', url: 'https://example.com/a' } as const
  expect(roughInputTokens(requestOf({ messages: [{ role: 'user', content: 'a'.repeat(4_000) }] }))).toBe(1_000)
  expect(roughInputTokens(shown({ type: 'text', text: 'a'.repeat(400) }, { type: 'image', source: url }))).toBe(1_100)
  expect(roughInputTokens(shown({ type: 'file', source: url }))).toBe(20_000)
})

test.each<[string, () => CompletionRequest]>([
  ['one letter', () => requestOf({ messages: [{ role: 'user', content: 'a'.repeat(5_000_000) }] })],
  ['halves of characters', () => requestOf({ messages: [{ role: 'user', content: '\ud83d'.repeat(5_000_000) }] })],
  [
    'many parts',
    () =>
      requestOf({
        messages: [{ role: 'user', content: Array.from({ length: 200_000 }, () => ({ type: 'text', text: 'a' })) }],
      }),
  ],
  [
    'many tools',
    () =>
      requestOf({ tools: Array.from({ length: 50_000 }, (_, at) => ({ kind: 'function' as const, name: `t${at}` })) }),
  ],
])('a hostile request of %s is counted while others have their turn', async (_what, hostile) => {
  const request = hostile()
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)

  const counted = await countedInputBound(request)
  clearInterval(timer)

  expect(turns).toBeGreaterThan(0)
  expect(inputTokenBound(request)).toBeGreaterThanOrEqual(counted)
})
