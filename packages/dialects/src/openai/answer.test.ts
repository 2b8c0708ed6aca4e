import type { ChoiceChunk, ChoiceResult, Usage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createStreamRenderer, renderAnswer, renderChoice } from './answer.ts'

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

const part = (type: 'reasoning' | 'refusal' | 'text', text: string) => ({ type, text })
const look = { type: 'tool_call' as const, id: 'call_1', kind: 'function' as const, name: 'look', arguments: '{}' }

test.each<[string, ChoiceResult['parts'], object]>([
  ['text', [part('text', 'Yes.')], { content: 'Yes.', refusal: null }],
  ['nothing', [], { content: '', refusal: null }],
  ['a refusal', [part('refusal', 'No.')], { content: null, refusal: 'No.' }],
  [
    'reasoning and text',
    [part('reasoning', 'Hm.'), part('text', 'Yes.')],
    { content: 'Yes.', refusal: null, reasoning_content: 'Hm.' },
  ],
  [
    'tool calls',
    [look, { ...look, kind: 'custom', arguments: 'x' }],
    {
      content: null,
      refusal: null,
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } },
        { id: 'call_1', type: 'custom', custom: { name: 'look', input: 'x' } },
      ],
    },
  ],
])('an answer of %s has the fields that clients look for, and no others', (_, parts, message) => {
  expect(renderChoice({ index: 0, parts, finishReason: 'stop' })).toStrictEqual({
    index: 0,
    message: { role: 'assistant', ...message },
    finish_reason: 'stop',
    logprobs: null,
  })
})

test('probabilities have both of their keys, and none are null', () => {
  const token = { token: 'a', logprob: -1, bytes: [97] }
  const { logprobs } = renderChoice({
    index: 0,
    parts: [{ type: 'text', text: 'a', logprobs: [{ ...token, top: [token] }] }],
    finishReason: 'length',
  })
  expect(logprobs).toEqual({ content: [{ ...token, top_logprobs: [token] }], refusal: null })
})

test('a tool call is streamed with its name first, then its arguments alone', () => {
  const render = createStreamRenderer(head, { includeUsage: false })
  const { type: _, arguments: text, ...call } = look
  const chunks: ChoiceChunk[] = [
    { type: 'tool_call', choice: 0, call: 0, ...call },
    { type: 'arguments', choice: 0, call: 0, text },
    { type: 'tool_call', choice: 0, call: 1, ...call, kind: 'custom' },
    { type: 'arguments', choice: 0, call: 1, text: 'x' },
  ]
  const deltas = chunks.flatMap((chunk) => render.chunk(chunk)).map((event) => parse(event).choices[0].delta)

  expect(deltas).toEqual([
    { role: 'assistant', content: null, refusal: null },
    { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
    { tool_calls: [{ index: 1, id: 'call_1', type: 'custom', custom: { name: 'look', input: '' } }] },
    { tool_calls: [{ index: 1, custom: { input: 'x' } }] },
  ])
})

test('what has no place in this dialect makes no event', () => {
  const render = createStreamRenderer(head, { includeUsage: false })
  expect(render.chunk({ type: 'signature', choice: 0, text: 'x' })).toEqual([])
  expect(render.chunk({ type: 'redacted_reasoning', choice: 0, data: 'x' })).toEqual([])
})
