import { expect, test } from 'vitest'
import { createEventReader } from './event-reader.ts'
import { readAnswer } from './read-answer.ts'

const read = (...events: object[]) => {
  const reader = createEventReader()
  return { chunks: events.flatMap((event) => reader.read({ data: JSON.stringify(event) })), reader }
}
const start = (usage?: object) => ({ type: 'message_start', message: { id: 'msg_1', content: [], usage } })
const block = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece })
const stop = (index: number) => ({ type: 'content_block_stop', index })
const end = (stop_reason: string | null, usage?: object, stop_sequence: string | null = null) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence },
  usage,
})

test('a stream is read block by block, its usage out of both its ends', () => {
  const { chunks, reader } = read(
    start({ input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 3, output_tokens: 1 }),
    { type: 'ping' },
    block(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
    delta(0, { type: 'signature_delta', signature: 'sig' }),
    stop(0),
    block(1, { type: 'redacted_thinking', data: 'xyz' }),
    stop(1),
    block(2, { type: 'text', text: '' }),
    delta(2, { type: 'text_delta', text: 'Hello' }),
    stop(2),
    block(3, { type: 'tool_use', id: 'toolu_1', name: 'add', input: {} }),
    delta(3, { type: 'input_json_delta', partial_json: '' }),
    delta(3, { type: 'input_json_delta', partial_json: '{"a":1}' }),
    stop(3),
    end('tool_use', { output_tokens: 30, output_tokens_details: { thinking_tokens: 10 } }),
    { type: 'message_stop' },
  )
  expect(chunks).toEqual([
    {
      type: 'usage',
      usage: { inputTokens: 10, cachedInputTokens: 5, cacheWriteTokens: 3, outputTokens: 0, source: 'reported' },
      soFar: true,
    },
    { type: 'reasoning', choice: 0, text: 'Hm' },
    { type: 'signature', choice: 0, text: 'sig' },
    { type: 'redacted_reasoning', choice: 0, data: 'xyz' },
    { type: 'text', choice: 0, text: 'Hello' },
    { type: 'tool_call', choice: 0, call: 0, id: 'toolu_1', kind: 'function', name: 'add' },
    { type: 'arguments', choice: 0, call: 0, text: '{"a":1}' },
    { type: 'finish', choice: 0, reason: 'tool_calls' },
    {
      type: 'usage',
      usage: {
        inputTokens: 10,
        cachedInputTokens: 5,
        cacheWriteTokens: 3,
        outputTokens: 20,
        reasoningTokens: 10,
        source: 'reported',
      },
    },
  ])
  expect(reader).toMatchObject({ finished: true, ended: true, failure: undefined })
})

test('a call without arguments, and one whose start holds them, are JSON all the same', () => {
  const { chunks } = read(
    block(0, { type: 'tool_use', id: 'a', name: 'now', input: {} }),
    stop(0),
    block(1, { type: 'tool_use', id: 'b', name: 'add', input: { a: 1 } }),
    end('tool_use'),
  )
  expect(chunks.filter(({ type }) => type === 'arguments')).toEqual([
    { type: 'arguments', choice: 0, call: 0, text: '{}' },
    { type: 'arguments', choice: 0, call: 1, text: '{"a":1}' },
  ])
})

test.each([
  ['end_turn', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
  ['model_context_window_exceeded', 'context_window'],
  ['pause_turn', 'stop'],
  ['of_tomorrow', 'stop'],
  ['toString', 'stop'],
])('a stop by %s is one by %s', (reason, canonical) => {
  expect(read(end(reason)).chunks).toEqual([{ type: 'finish', choice: 0, reason: canonical }])
})

test('a stop sequence is kept', () => {
  expect(read(end('stop_sequence', undefined, 'END')).chunks).toEqual([
    { type: 'finish', choice: 0, reason: 'stop', stopSequence: 'END' },
  ])
})

test.each([undefined, {}, { input_tokens: 10 }, { output_tokens: null }])(
  'a stream whose end tells usage of %j has none: what its start says of the output is no report',
  (usage) => {
    for (const output_tokens of [0, 1])
      expect(read(start({ input_tokens: 0, output_tokens }), end('end_turn', usage)).chunks).toEqual([
        { type: 'finish', choice: 0, reason: 'stop' },
      ])
  },
)

test.each([
  [{ input_tokens: 10, output_tokens: 1 }, [10, 0]],
  [{ input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 1 }, [0, 5]],
  [{ input_tokens: 0, output_tokens: 1 }, undefined],
  [{ input_tokens: -1, output_tokens: 1 }, undefined],
  [{ output_tokens: 1 }, undefined],
  [undefined, undefined],
])('what a start of %j tells of the prompt is the usage so far', (told, prompt) => {
  const [inputTokens, cachedInputTokens] = prompt ?? []
  const usage = { inputTokens, cachedInputTokens, outputTokens: 0, source: 'reported' }
  expect(read(start(told)).chunks).toEqual(prompt ? [{ type: 'usage', usage, soFar: true }] : [])
})

test.each([
  [{ input_tokens: 10, output_tokens: 7 }, 10, 7],
  [{ output_tokens: 7 }, 0, 7],
  [{ output_tokens: 0 }, 0, 0],
])('the zeros of a start are replaced by what the end tells: %j', (told, inputTokens, outputTokens) => {
  const zeros = { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
  expect(read(start(zeros), end('end_turn', told)).chunks.at(-1)).toEqual({
    type: 'usage',
    usage: { inputTokens, cachedInputTokens: 0, outputTokens, source: 'reported' },
  })
})

test.each([
  { type: 'of_tomorrow', data: 1 },
  { type: 'content_block_start', index: 0, content_block: { type: 'of_tomorrow' } },
  { type: 'content_block_start' },
  { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta' } },
  { type: 'content_block_delta', index: 9, delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 7 } },
  { type: 'content_block_stop' },
  { type: 'message_delta' },
  { type: 'message_start', message: null },
  {},
])('%j is skipped', (event) => {
  const { chunks, reader } = read(event)
  expect(chunks).toEqual([])
  expect(reader).toMatchObject({ finished: false, ended: false, failure: undefined })
})

test.each(['not JSON', '7', 'null', '[]'])('%s is no event of the protocol, and nothing after it counts', (data) => {
  const reader = createEventReader()
  expect(reader.read({ data })).toEqual([])
  expect(reader.failure).toMatchObject({ code: 'backend_error' })
  expect(reader.read({ data: JSON.stringify(end('end_turn')) })).toEqual([])
  expect(reader.finished).toBe(false)
})

test.each([
  ['overloaded_error', 'Overloaded', 'backend_overloaded'],
  ['rate_limit_error', 'Slow down', 'backend_overloaded'],
  ['api_error', 'Oops', 'backend_error'],
  ['authentication_error', 'invalid x-api-key', 'backend_error'],
  ['invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum', 'context_length_exceeded'],
])('an error within the stream of type %s (%s) is %s', (type, message, code) => {
  const { reader } = read({ type: 'error', error: { type, message } })
  expect(reader.failure).toMatchObject({ code })
  expect(reader.failure!.message).not.toContain(message)
})

test('a whole answer means what the stream of it would', () => {
  const body = {
    type: 'message',
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'text', text: 'Hello' },
      { type: 'tool_use', id: 'a', name: 'add', input: { a: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 2 },
  }
  expect(readAnswer(body)).toEqual({
    choices: [
      {
        index: 0,
        parts: [
          { type: 'reasoning', text: 'Hm', signature: 'sig' },
          { type: 'text', text: 'Hello' },
          { type: 'tool_call', id: 'a', kind: 'function', name: 'add', arguments: '{"a":1}' },
        ],
        finishReason: 'tool_calls',
      },
    ],
    usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, source: 'reported' },
  })
  expect(readAnswer('nothing')).toEqual({ choices: [], usage: undefined })
})

test.each([null, undefined, 7])('an answer whose stop reason is %j broke off: it is no answer', (stop_reason) => {
  const usage = { input_tokens: 1, output_tokens: 2 }
  expect(readAnswer({ content: [{ type: 'text', text: 'Hel' }], stop_reason, usage }).choices).toEqual([])
})

test('an answer of more tool calls than a client takes has failed', () => {
  const calls = (length: number) =>
    Array.from({ length }, (_, n) => ({ type: 'tool_use', id: `c${n}`, name: 'look', input: {} }))
  const streamed = (length: number) => read(...calls(length).map((call, n) => block(n, call)), end('tool_use')).reader
  expect(streamed(128)).toMatchObject({ finished: true, failure: undefined })
  expect(streamed(129)).toMatchObject({ finished: false, failure: { code: 'backend_error' } })

  const whole = (length: number) => readAnswer({ content: calls(length), stop_reason: 'tool_use' }).choices
  expect(whole(128)[0]!.parts.length).toBe(128)
  expect(whole(129)).toEqual([])
})
