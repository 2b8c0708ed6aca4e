import type { ChoiceChunk, Usage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createStreamRenderer } from './stream-renderer.ts'

const head = { id: 'msg_1', created: 1, model: 'fast' }
const usage: Usage = { inputTokens: 3, cachedInputTokens: 2, outputTokens: 4, source: 'reported' }
const bill = { usage, charged: 1_500_001n }

const text = (piece: string): ChoiceChunk => ({ type: 'text', choice: 0, text: piece })
const reasoning = (piece: string): ChoiceChunk => ({ type: 'reasoning', choice: 0, text: piece })
const signature = (piece: string): ChoiceChunk => ({ type: 'signature', choice: 0, text: piece })
const call = (n: number): ChoiceChunk => ({
  type: 'tool_call',
  choice: 0,
  call: n,
  id: `c${n}`,
  kind: 'function',
  name: 'f',
})
const args = (n: number, piece: string): ChoiceChunk => ({ type: 'arguments', choice: 0, call: n, text: piece })
const finish = (reason: 'stop' | 'tool_calls' | 'length' = 'stop'): ChoiceChunk => ({
  type: 'finish',
  choice: 0,
  reason,
})

/** The events of a stream, each checked to be named as it is typed. */
function render(...chunks: ChoiceChunk[]) {
  const renderer = createStreamRenderer(head)
  return [...chunks.flatMap((chunk) => renderer.chunk(chunk)), ...renderer.end(bill)].map(eventOf)
}

function eventOf(event: string) {
  const [, name, data] = /^event: (\w+)\ndata: ([^\n]*)\n\n$/.exec(event) ?? []
  const parsed = JSON.parse(data!)
  expect(parsed.type).toBe(name)
  return parsed
}

/** The events between message_start and message_delta, briefly. */
const briefly = (...chunks: ChoiceChunk[]) =>
  render(...chunks)
    .slice(1, -2)
    .map(({ type, index, content_block: block, delta }) => {
      const what = type.replace('content_block_', '')
      return [
        index,
        what,
        block?.type ?? delta?.type,
        delta?.text ?? delta?.partial_json ?? delta?.thinking ?? delta?.signature ?? block?.id,
      ]
        .filter((each) => each !== undefined)
        .join(' ')
    })

test('a text is a message of one block, in the order that clients want', () => {
  const content = 'line\nbreak "quote" \u2028 \\ 👋🏽'
  expect(render(text(content), text('!'), finish())).toEqual([
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'fast',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: expect.objectContaining({ input_tokens: 0, output_tokens: 0 }),
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: content } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '!' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null },
      usage: expect.objectContaining({
        input_tokens: 3,
        cache_read_input_tokens: 2,
        cache_creation_input_tokens: 0,
        output_tokens: 4,
        credits_consumed: 1.500001,
      }),
    },
    { type: 'message_stop' },
  ])
})

test('thoughts, redacted ones, text and calls are blocks in their order', () => {
  expect(
    briefly(
      reasoning('Let '),
      reasoning('me'),
      signature('ab'),
      signature('c'),
      reasoning('again'),
      { type: 'redacted_reasoning', choice: 0, data: 'xyz' },
      text('So'),
      call(0),
      args(0, '{"a"'),
      args(0, ':1}'),
      call(1),
      args(1, '{}'),
      finish('tool_calls'),
    ),
  ).toEqual([
    '0 start thinking',
    '0 delta thinking_delta Let ',
    '0 delta thinking_delta me',
    '0 delta signature_delta abc',
    '0 stop',
    '1 start thinking',
    '1 delta thinking_delta again',
    '1 stop',
    '2 start redacted_thinking',
    '2 stop',
    '3 start text',
    '3 delta text_delta So',
    '3 stop',
    '4 start tool_use c0',
    '4 delta input_json_delta {"a"',
    '4 delta input_json_delta :1}',
    '4 stop',
    '5 start tool_use c1',
    '5 delta input_json_delta {}',
    '5 stop',
  ])
})

test('calls whose pieces a backend mixes come one after the other', () => {
  const mixed = [call(0), call(1), call(2), args(0, '{"a":'), args(2, '{'), args(1, '{}'), args(0, '1}'), args(2, '}')]
  const inTurn = [
    '0 start tool_use c0',
    '0 delta input_json_delta {"a":',
    '0 delta input_json_delta 1}',
    '0 stop',
    '1 start tool_use c1',
    '1 delta input_json_delta {}',
    '1 stop',
    '2 start tool_use c2',
    '2 delta input_json_delta {',
    '2 delta input_json_delta }',
    '2 stop',
  ]
  expect(briefly(...mixed, finish('tool_calls'))).toEqual(inTurn)
})

test('calls that are cut off, or have no arguments, are all there at the end', () => {
  expect(briefly(call(0), call(1), args(1, '{"a'), call(2), text('?'), finish('length'))).toEqual([
    '0 start tool_use c0',
    '0 stop',
    '1 start tool_use c1',
    '1 delta input_json_delta {"a',
    '1 stop',
    '2 start tool_use c2',
    '2 stop',
    '3 start text',
    '3 delta text_delta ?',
    '3 stop',
  ])
})

test('what follows arguments that are no JSON, or no object, waits for the end', () => {
  for (const written of ['{a}', '[{}]', '"{}"', '{]', '{"a":"}"', '{"a":"\\\\\\"}', '{} {}'])
    expect(briefly(call(0), call(1), args(0, written), args(1, '{}'), args(0, '?'), finish())).toEqual([
      '0 start tool_use c0',
      `0 delta input_json_delta ${written}`,
      '0 delta input_json_delta ?',
      '0 stop',
      '1 start tool_use c1',
      '1 delta input_json_delta {}',
      '1 stop',
    ])
})

test('arguments in very many pieces, each of which could be their last, are not read again for each', () => {
  const renderer = createStreamRenderer(head)
  const events = [call(0), call(1), args(0, '{"a":[{}')].flatMap((chunk) => renderer.chunk(chunk))
  for (let piece = 0; piece < 100_000; piece++) events.push(...renderer.chunk(args(0, ',{}')))
  const waited = renderer.chunk(args(0, ']}'))
  expect(events.length).toBe(3 + 100_000)
  expect(waited.map(eventOf).map(({ type, index }) => `${index} ${type}`)).toEqual([
    '0 content_block_delta',
    '0 content_block_stop',
    '1 content_block_start',
  ])
})

test('very many calls whose pieces are mixed do not queue again for each that is whole', () => {
  const renderer = createStreamRenderer(head)
  const numbers = Array.from({ length: 10_000 }, (_, n) => n)
  const pieces = ['{"a":', '1', '2', '3', '}'].flatMap((piece) => numbers.map((n) => args(n, piece)))
  const events = [...numbers.map(call), ...pieces].flatMap((chunk) => renderer.chunk(chunk))
  events.push(...renderer.end(bill))
  // Each call has a start, five pieces and a stop; the message has one start and two ends.
  expect(events.length).toBe(10_000 * 7 + 3)
})

test.each([
  [[text('a'), finish()], 'end_turn'],
  [[text('a'), finish('length')], 'max_tokens'],
  [[call(0), args(0, '{}'), finish('tool_calls')], 'tool_use'],
  [[call(0), args(0, '{}'), finish()], 'tool_use'],
  [[{ type: 'refusal', choice: 0, text: 'No.' }, finish()], 'refusal'],
  [[{ type: 'finish', choice: 0, reason: 'content_filter' }], 'refusal'],
  [[{ type: 'finish', choice: 0, reason: 'context_window' }], 'model_context_window_exceeded'],
] as [ChoiceChunk[], string][])('%j stops by %s', (chunks, reason) => {
  expect(render(...chunks).at(-2).delta.stop_reason).toBe(reason)
})

test('the stop sequence that ended a text is named', () => {
  const delta = render(text('a'), { type: 'finish', choice: 0, reason: 'stop', stopSequence: 'END' }).at(-2).delta
  expect(delta).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' })
})

test('other choices, empty pieces and what follows the end leave no trace', () => {
  const plain = render(text('a'), finish())
  expect(render({ type: 'text', choice: 1, text: 'b' }, text(''), text('a'), text(''), finish(), text('c'))).toEqual(
    plain,
  )
})
