import { expect, test } from 'vitest'
import { createChunkRenderer, renderCompletion } from './answer.ts'

const head = { id: 'chatcmpl_1', created: 1, model: 'fast' }
const parse = (event: string) => JSON.parse(event.replace(/^data: /, ''))

test('every chunk is one event of whole JSON, whatever the text holds', () => {
  const text = 'line\nbreak "quote" \u2028 \\ 👋🏽'
  const event = createChunkRenderer(head, { includeUsage: false }).text(0, text)
  expect(event.match(/\n/g)).toHaveLength(2)
  expect(parse(event)).toEqual({
    id: 'chatcmpl_1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'fast',
    choices: [{ index: 0, delta: { content: text }, finish_reason: null, logprobs: null }],
  })
})

test('a client that asked for usage finds null until the last chunk, which has no choices', () => {
  const render = createChunkRenderer(head, { includeUsage: true })
  const usage = { inputTokens: 3, cachedInputTokens: 2, outputTokens: 4, source: 'reported' } as const
  expect(parse(render.role(0)).usage).toBeNull()
  expect(parse(render.finish(0, 'stop'))).toMatchObject({
    usage: null,
    choices: [{ finish_reason: 'stop', delta: {} }],
  })
  expect(parse(render.usage(usage, 1_500_001n))).toMatchObject({
    choices: [],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 4,
      total_tokens: 9,
      prompt_tokens_details: { cached_tokens: 2 },
      credits_consumed: 1.500001,
    },
  })
})

test('an answer that was clamped for want of credits says to how many tokens, and no other does', () => {
  const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 4, source: 'reported' } as const
  const render = createChunkRenderer(head, { includeUsage: true })

  expect(renderCompletion(head, [], usage, 1n, 4).usage).toMatchObject({ clamped_max_tokens: 4 })
  expect(parse(render.usage(usage, 1n, 4)).usage).toMatchObject({ clamped_max_tokens: 4 })
  expect(JSON.stringify(renderCompletion(head, [], usage, 1n))).not.toContain('clamped')
  expect(render.usage(usage, 1n)).not.toContain('clamped')
})
