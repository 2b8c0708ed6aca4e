import { type Chunk, noUsage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createEventReader } from './event-reader.ts'
import { type Sent, choice, delta, finish, finished, readAll, text } from './testing/streams.ts'

const usage = { usage: { prompt_tokens: 3, completion_tokens: 2 } }
const usageChunk: Chunk = { type: 'usage', usage: { ...noUsage, inputTokens: 3, outputTokens: 2 } }

test('a stream is read piece by piece, to its end', () => {
  const { chunks, ...end } = readAll([
    delta({ role: 'assistant', content: '', refusal: null }),
    delta({ content: 'Once' }),
    delta({ content: ' upon' }),
    finish(),
    { choices: [], ...usage },
    '[DONE]',
  ])
  expect(chunks).toEqual([text('Once'), text(' upon'), finished(), usageChunk])
  expect(end).toEqual({ finished: true, ended: true, failure: undefined })
})

test.each<[string, Sent[], unknown[]]>([
  [
    'reasoning_content',
    [delta({ reasoning_content: 'Hm.', content: null })],
    [{ type: 'reasoning', choice: 0, text: 'Hm.' }],
  ],
  [
    'reasoning',
    [delta({ reasoning: 'Hm.', reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }] })],
    [{ type: 'reasoning', choice: 0, text: 'Hm.' }],
  ],
  [
    'reasoning_details',
    [delta({ reasoning_details: [{ text: 'H' }, { summary: 'm.' }, { data: 'x' }] })],
    [{ type: 'reasoning', choice: 0, text: 'Hm.' }],
  ],
  [
    'parts of content',
    [
      delta({
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
          { type: 'text', text: 'Yes.' },
        ],
      }),
    ],
    [{ type: 'reasoning', choice: 0, text: 'Hm.' }, text('Yes.')],
  ],
  ['a refusal', [delta({ refusal: 'No.' })], [{ type: 'refusal', choice: 0, text: 'No.' }]],
  [
    'a whole message',
    [choice({ message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }, 0)],
    [text('Yes.'), finished()],
  ],
  [
    'a whole message after its pieces',
    [delta({ content: 'Yes.' }), choice({ message: { content: 'Yes.' }, finish_reason: 'stop' }, 0)],
    [text('Yes.'), finished()],
  ],
  ['no index', [choice({ delta: { content: 'Yes.' } })], [text('Yes.')]],
  ['what follows a finish', [finish(), delta({ content: 'more' }), finish('length')], [finished()]],
  ['a comment as an event', [{ object: 'chat.completion.chunk' }, { choices: null }, { choices: [null, 7] }], []],
])('%s is understood', (_, events, expected) => {
  expect(readAll(events).chunks).toEqual(expected)
})

test('several choices are told apart, and the answer is whole when all are', () => {
  const first = [delta({ content: 'a' }), finish()]
  const second = [delta({ content: 'b' }, 1), choice({ delta: {}, finish_reason: 'length' }, 1)]

  expect(readAll(first, { choices: 2 }).finished).toBe(false)
  expect(readAll([...first, delta({ content: 'b' }, 1)]).finished).toBe(false)
  expect(readAll([...first, '[DONE]'], { choices: 2 }).finished).toBe(true)
  const both = readAll([...first, ...second, usage], { choices: 2 })
  expect(both.finished).toBe(true)
  expect(both.chunks).toEqual([
    text('a'),
    finished(),
    text('b', 1),
    { type: 'finish', choice: 1, reason: 'length' },
    usageChunk,
  ])
  expect(readAll([...second, ...first], { choices: 1 }).chunks).toEqual([text('a'), finished()])
})

test('a stream that ends before its finish is not whole', () => {
  expect(readAll([delta({ content: 'a' }), '[DONE]'])).toMatchObject({ finished: false, ended: true })
  expect(readAll(['[DONE]'])).toMatchObject({ finished: false, ended: true })
})

test.each([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['content_filter', 'content_filter'],
  ['eos', 'stop'],
  ['constructor', 'stop'],
])('the finish %s is our %s', (sent, reason) => {
  expect(readAll([finish(sent)]).chunks).toEqual([finished(reason)])
})

test.each(['error', 'abort', 'insufficient_system_resource'])('an answer that broke off by %s has failed', (reason) => {
  const { chunks, finished, failure } = readAll([delta({ content: 'Onc' }), finish(reason)])
  expect(chunks).toEqual([text('Onc')])
  expect(finished).toBe(false)
  expect(failure?.code).toMatch(/^backend_/)
})

test('the stop sequence is told where a server tells it', () => {
  expect(readAll([finish('stop', { stop_reason: 'END' })]).chunks).toEqual([{ ...finished(), stopSequence: 'END' }])
  expect(readAll([finish('stop', { stop_reason: 128_001 })]).chunks).toEqual([finished()])
})

test('probabilities come with their text, also where a token has none', () => {
  const token = (token: string) => ({ token, logprob: -0.5, bytes: null })
  const content = [{ ...token('Yes'), top_logprobs: [token('No'), { token: 'odd' }] }, 'odd']
  const { chunks } = readAll([
    choice({ delta: { content: 'Yes' }, logprobs: { content, refusal: null } }),
    choice({ delta: { content: '' }, logprobs: { content: [token('')] } }),
  ])
  expect(chunks).toEqual([
    { ...text('Yes'), logprobs: [{ ...token('Yes'), top: [token('No')] }] },
    { ...text(''), logprobs: [{ ...token(''), top: [] }] },
  ])
})

test('zeros after a real count are no count', () => {
  const zeros = { usage: { prompt_tokens: 0, completion_tokens: 0 } }
  const { chunks } = readAll([{ ...delta({ content: 'a' }), ...usage }, { ...finish(), ...zeros }, zeros])
  expect(chunks).toEqual([text('a'), { ...usageChunk, soFar: true }, finished(), usageChunk])
})

test('usage that counts up is told as it comes, and the last counts', () => {
  const counting = { usage: { prompt_tokens: 3, completion_tokens: 1 } }
  expect(
    readAll([
      { ...delta({ content: 'a' }), ...counting },
      { ...finish(), ...usage },
    ]).chunks,
  ).toEqual([
    text('a'),
    { type: 'usage', usage: { ...noUsage, inputTokens: 3, outputTokens: 1 }, soFar: true },
    finished(),
    usageChunk,
  ])
  expect(readAll([{ ...finish(), ...counting }, usage]).chunks.at(-1)).toEqual(usageChunk)
  expect(
    readAll([{ ...finish(), ...usage }, { usage: { prompt_tokens: -1, completion_tokens: 1 } }]).chunks.at(-1),
  ).toEqual(usageChunk)
})

test('a character that a server has cut in two is put together again', () => {
  const { chunks } = readAll([
    delta({ content: 'a\ud83d' }),
    delta({ content: '\udc4b' }),
    delta({ content: '\ud83d' }),
    finish(),
  ])
  expect(chunks).toEqual([text('a'), text('👋'), text('\ud83d'), finished()])
})

test.each<[string, { event?: string; data: string }, string]>([
  ['nested', { data: '{"error":{"message":"no","code":429}}' }, 'backend_overloaded'],
  ['as a sentence', { data: '{"error":"no"}' }, 'backend_error'],
  ['by name and nested', { event: 'error', data: '{"error":{"type":"overloaded_error"}}' }, 'backend_overloaded'],
  ['by name and flat', { event: 'error', data: '{"message":"no","code":503}' }, 'backend_overloaded'],
  ['by name and in words', { event: 'error', data: 'overloaded' }, 'backend_overloaded'],
  ['flat', { data: '{"object":"error","message":"no","code":400}' }, 'invalid_request'],
  ['not at all, for it is no JSON', { data: '<html>' }, 'backend_error'],
  ['not at all, for it is no object', { data: '[]' }, 'backend_error'],
])('an error that is told %s ends the answer', (_, event, code) => {
  const reader = createEventReader()
  expect(reader.read(event)).toEqual([])
  expect(reader.failure?.code).toBe(code)
  expect(reader.read({ data: JSON.stringify(delta({ content: 'more' })) })).toEqual([])
})

test('events of other names are not for us', () => {
  const reader = createEventReader()
  expect(reader.read({ event: 'ping', data: 'still here' })).toEqual([])
  expect(reader.failure).toBe(undefined)
})

test.each([0.5, -1, '0', 128])('a choice %j is none', (index) => {
  expect(readAll([choice({ index, delta: { content: 'Yes.' } })]).chunks).toEqual([])
})

test.each([[[1e20]], [[-1]], [[0.5]], ['a']])('bytes of a token that are none are left out: %j', (bytes) => {
  const logprobs = { content: [{ token: 'a', logprob: -1, bytes, top_logprobs: [] }] }
  const { chunks } = readAll([choice({ delta: { content: 'a' }, logprobs })])
  expect(chunks).toMatchObject([{ type: 'text', logprobs: [{ token: 'a', bytes: null }] }])
})
