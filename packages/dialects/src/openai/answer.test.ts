import { type ChoiceChunk, type Usage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createStreamRenderer, renderAnswer } from './answer.ts'

const head = { id: 'chatcmpl_1', created: 1, model: 'fast' }
const parse = (event: string | undefined) => JSON.parse(event!.replace(/^data: /, ''))
const text = (content: string): ChoiceChunk => ({ type: 'text', choice: 0, text: content })
const usage: Usage = { inputTokens: 3, cachedInputTokens: 2, outputTokens: 4, source: 'reported' }

test('every chunk is one event of whole JSON, whatever the text holds', () => {
  const content = 'line\nbreak "quote" \u2028 \\ 👋🏽'
  const [role, event] = createStreamRenderer(head, { includeUsage: false }).chunk(text(content))
  expect(parse(role).choices[0].delta).toEqual({ role: 'assistant', content: '', refusal: null })
  expect(event!.match(/\n/g)).toHaveLength(2)
  expect(parse(event)).toEqual({
    id: 'chatcmpl_1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'fast',
    choices: [{ index: 0, delta: { content }, finish_reason: null, logprobs: null }],
  })
})

test('a client that asked for usage finds null until the last chunk, which has no choices', () => {
  const render = createStreamRenderer(head, { includeUsage: true })
  const [role, finish] = render.chunk({ type: 'finish', choice: 0, reason: 'stop' })
  expect(parse(role).usage).toBeNull()
  expect(parse(finish)).toMatchObject({ usage: null, choices: [{ finish_reason: 'stop', delta: {} }] })
  const [last, done] = render.end({ usage, charged: 1_500_001n })
  expect(parse(last)).toMatchObject({
    choices: [],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 4,
      total_tokens: 9,
      prompt_tokens_details: { cached_tokens: 2 },
      credits_consumed: 1.500001,
    },
  })
  expect(done).toBe('data: [DONE]\n\n')
})

test('an answer that was clamped for want of credits says to how many tokens, and no other does', () => {
  const clamped = { usage, charged: 1n, clampedTo: 4 }
  const render = createStreamRenderer(head, { includeUsage: true })

  expect(renderAnswer(head, [], clamped).usage).toMatchObject({ clamped_max_tokens: 4 })
  expect(parse(render.end(clamped)[0]).usage).toMatchObject({ clamped_max_tokens: 4 })
  expect(JSON.stringify(renderAnswer(head, [], { usage, charged: 1n }))).not.toContain('clamped')
  expect(render.end({ usage, charged: 1n }).join('')).not.toContain('clamped')
})
