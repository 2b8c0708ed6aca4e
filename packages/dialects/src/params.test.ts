import { expect, test } from 'vitest'
import { dialect as anthropic } from './anthropic/dialect.ts'
import { dialect as openai } from './openai/dialect.ts'

test('the cap is named by the field that was sent', () => {
  expect(openai.paramIn({ max_tokens: 9 })('maxOutputTokens')).toBe('max_tokens')
  expect(openai.paramIn({ max_completion_tokens: 9 })('maxOutputTokens')).toBe('max_completion_tokens')
  expect(openai.paramIn({ max_completion_tokens: 9, max_tokens: 9 })('maxOutputTokens')).toBe('max_completion_tokens')
  expect(anthropic.paramIn({ max_tokens: 9 })('maxOutputTokens')).toBe('max_tokens')
})

test('so is whichever of two fields asks for a capability', () => {
  expect(openai.paramIn({ presence_penalty: 1 })('penalties')).toBe('presence_penalty')
  expect(openai.paramIn({ presence_penalty: 1, frequency_penalty: 1 })('penalties')).toBe('frequency_penalty')
  expect(anthropic.paramIn({ output_config: { effort: 'low' } })('reasoning')).toBe('output_config.effort')
  expect(anthropic.paramIn({ thinking: { type: 'adaptive' } })('reasoning')).toBe('thinking')
})

test('an image is named by its place, wherever it is', () => {
  const text = { type: 'text', text: 'a' }
  const shown = (type: string) => ({
    messages: [
      { role: 'system', content: 'b' },
      { role: 'user', content: [text, { type }] },
      { role: 'user', content: [{ type: 'tool_result', content: [text, { type }] }, { type }] },
    ],
  })
  const places = ['messages[1].content[1]', 'messages[2].content[0].content[1]', 'messages[2].content[1]', 'messages']

  for (const [dialect, type] of [[openai, 'image_url'] as const, [anthropic, 'image'] as const]) {
    const paramOf = dialect.paramIn(shown(type))
    expect([1, 2, 3, 4].map((nth) => paramOf('images', nth))).toEqual(places)
  }
})

test('without a body there is a name for each', () => {
  expect(openai.paramOf('maxOutputTokens')).toBe('max_completion_tokens')
  expect(anthropic.paramOf('images', 2)).toBe('messages')
})
