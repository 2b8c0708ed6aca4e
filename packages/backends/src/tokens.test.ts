import { expect, test } from 'vitest'
import { requestOf } from './testing/requests.ts'
import { estimateTokens, inputTokenBound } from './tokens.ts'

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
