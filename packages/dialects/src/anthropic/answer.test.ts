import type { AnswerPart, ChoiceResult, Usage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { renderAnswer } from './answer.ts'

const head = { id: 'msg_1', created: 1, model: 'fast' }
const usage: Usage = { inputTokens: 3, cachedInputTokens: 2, outputTokens: 4, source: 'reported' }
const render = (parts: AnswerPart[], rest: Partial<ChoiceResult> = {}) =>
  renderAnswer(head, [{ index: 0, parts, finishReason: 'stop', ...rest }], { usage, charged: 1_500_000n })

test('an answer is a message of blocks, in the order in which they were said', () => {
  const parts: AnswerPart[] = [
    { type: 'reasoning', text: 'Hm', signature: 'sig' },
    { type: 'reasoning', text: 'unsigned' },
    { type: 'redacted_reasoning', data: 'xyz' },
    { type: 'text', text: 'Hello' },
    { type: 'tool_call', id: 'a', kind: 'function', name: 'add', arguments: '{"x":[1]}' },
  ]
  expect(render(parts, { finishReason: 'tool_calls' })).toEqual({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'fast',
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'thinking', thinking: 'unsigned', signature: '' },
      { type: 'redacted_thinking', data: 'xyz' },
      { type: 'text', text: 'Hello' },
      { type: 'tool_use', id: 'a', name: 'add', input: { x: [1] } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    stop_details: null,
    usage: expect.objectContaining({
      input_tokens: 3,
      cache_read_input_tokens: 2,
      output_tokens: 4,
      credits_consumed: 1.5,
    }),
  })
})

test.each([
  ['', {}],
  ['{"x":1}', { x: 1 }],
  ['{"x":', { INVALID_JSON: '{"x":' }],
  ['[1]', { INVALID_JSON: '[1]' }],
])('the arguments %j are the input %j', (text, input) => {
  const [block] = render([{ type: 'tool_call', id: 'a', kind: 'function', name: 'add', arguments: text }]).content
  expect(block).toMatchObject({ input })
})

test('a refusal and a call end as such, whatever their vendor calls it', () => {
  expect(render([{ type: 'refusal', text: 'No.' }])).toMatchObject({
    stop_reason: 'refusal',
    content: [{ text: 'No.' }],
  })
  const call: AnswerPart = { type: 'tool_call', id: 'a', kind: 'function', name: 'add', arguments: '{}' }
  expect(render([call]).stop_reason).toBe('tool_use')
  expect(render([call], { finishReason: 'length' }).stop_reason).toBe('max_tokens')
  expect(render([], { stopSequence: 'END' })).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' })
})

test('only the first choice is told, and no text that is empty', () => {
  const other: ChoiceResult = { index: 1, parts: [{ type: 'text', text: 'b' }], finishReason: 'stop' }
  const first: ChoiceResult = { index: 0, parts: [{ type: 'text', text: '' }], finishReason: 'length' }
  expect(renderAnswer(head, [other, first], { usage, charged: 0n })).toMatchObject({
    content: [],
    stop_reason: 'max_tokens',
  })
  expect(renderAnswer(head, [], { usage, charged: 0n })).toMatchObject({ content: [], stop_reason: null })
})
