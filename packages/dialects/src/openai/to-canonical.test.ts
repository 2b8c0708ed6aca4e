import type { RequestDraft } from '@weir/contracts'
import { expect, test } from 'vitest'
import { ChatCompletionRequest, wishOf, withoutNulls } from './request.ts'
import { toCanonical } from './to-canonical.ts'

const hello = { messages: [{ role: 'user', content: 'Hello' }] }
const parse = (body: unknown) => ChatCompletionRequest.parse(withoutNulls(body))
const read = (body: unknown): RequestDraft => toCanonical(parse(body))
const readMessage = (...messages: object[]) => read({ messages }).messages.at(-1)
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }
const callPart = { type: 'tool_call', id: 'call_1', kind: 'function', name: 'look', arguments: '{"at":1}' }

test('what a request does not say is absent', () => {
  expect(read(hello)).toStrictEqual({ messages: [{ role: 'user', content: 'Hello' }], stream: false })
})

test('null is the same as leaving it out', () => {
  const nulls = { temperature: null, tools: null, stop: null, logprobs: null, user: null, vendor: null }
  expect(read({ ...hello, ...nulls })).toStrictEqual(read(hello))
})

test.each<[object, Partial<RequestDraft>]>([
  [
    { model: 'fast', temperature: 1, top_p: 0.5, top_k: 3 },
    { model: 'fast', temperature: 1, topP: 0.5, topK: 3 },
  ],
  [
    { frequency_penalty: -1, presence_penalty: 2 },
    { frequencyPenalty: -1, presencePenalty: 2 },
  ],
  [{ max_tokens: 7 }, { maxOutputTokens: 7 }],
  [{ max_tokens: 7, max_completion_tokens: 7 }, { maxOutputTokens: 7 }],
  [{ stop: 'END' }, { stop: ['END'] }],
  [
    { n: 3, seed: 7, logit_bias: { '1': -100 } },
    { choices: 3, seed: 7, logitBias: { '1': -100 } },
  ],
  [{ logprobs: true }, { logprobs: { top: 0 } }],
  [{ logprobs: true, top_logprobs: 5 }, { logprobs: { top: 5 } }],
  [{ logprobs: false, top_logprobs: 0 }, {}],
  [{ response_format: { type: 'text' }, modalities: ['text'], service_tier: 'auto' }, {}],
  [{ response_format: { type: 'json_object' } }, { responseFormat: { type: 'json_object' } }],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object' } } } },
    { responseFormat: { type: 'json_schema', name: 'a', strict: true, schema: { type: 'object' } } },
  ],
  [
    { reasoning_effort: 'high', verbosity: 'low' },
    { reasoning: { effort: 'high' }, verbosity: 'low' },
  ],
  [
    { service_tier: 'default', user: 'u-1' },
    { serviceTier: 'default', endUser: 'u-1' },
  ],
  [{ user: 'u-1', safety_identifier: 's-1' }, { endUser: 's-1' }],
  [
    { prompt_cache_key: 'k', prompt_cache_options: { mode: 'explicit' }, prompt_cache_retention: '24h' },
    { promptCacheKey: 'k', promptCache: { mode: 'explicit', retention: '24h' } },
  ],
  [{ tools: [], parallel_tool_calls: false }, {}],
  [{ min_p: 0.1, best: { of: [2] } }, { extra: { min_p: 0.1, best: { of: [2] } } }],
  [{ stream: true, stream_options: { include_usage: true }, store: true, metadata: { a: 'b' } }, { stream: true }],
])('%j is read as %j', (fields, expected) => {
  expect(read({ ...hello, ...fields })).toEqual({ ...read(hello), ...expected })
})

test('tools and the choice among them are read by their names', () => {
  const look = { type: 'function', function: { name: 'look', parameters: { type: 'object' }, strict: true } }
  const sql = { type: 'custom', custom: { name: 'sql', description: 'Asks.', format: { type: 'text' } } }
  const choiceOf = (tool_choice: unknown) => read({ ...hello, tools: [look, sql], tool_choice }).toolChoice

  expect(read({ ...hello, tools: [look, sql], parallel_tool_calls: false })).toMatchObject({
    parallelToolCalls: false,
    tools: [
      { kind: 'function', name: 'look', parameters: { type: 'object' }, strict: true },
      { kind: 'custom', name: 'sql', description: 'Asks.', format: { type: 'text' } },
    ],
  })
  expect(choiceOf('none')).toEqual({ type: 'none' })
  expect(choiceOf({ type: 'custom', custom: { name: 'sql' } })).toEqual({ type: 'tool', kind: 'custom', name: 'sql' })
  const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'look' } }] }
  expect(choiceOf({ type: 'allowed_tools', allowed_tools: allowed })).toEqual({
    type: 'allowed',
    mode: 'required',
    tools: [{ kind: 'function', name: 'look' }],
  })
})

test.each<[string, object, unknown]>([
  ['text', { type: 'text', text: 'a' }, { type: 'text', text: 'a' }],
  [
    'a marked text',
    { type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit', ttl: '30m' } },
    { type: 'text', text: 'a', cache: { ttl: '30m' } },
  ],
  [
    'an image by its address',
    { type: 'image_url', image_url: { url: 'https://a.test/b.png', detail: 'low' } },
    { type: 'image', source: { kind: 'url', url: 'https://a.test/b.png' }, detail: 'low' },
  ],
  [
    'an image in itself',
    { type: 'image_url', image_url: { url: 'data:image/PNG;base64,AAAA' } },
    { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
  ],
  [
    'audio',
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    { type: 'audio', data: 'AAAA', format: 'wav' },
  ],
  [
    'a file',
    { type: 'file', file: { file_data: 'data:text/plain;base64,AAAA', filename: 'a.txt' } },
    { type: 'file', source: { kind: 'base64', mediaType: 'text/plain', data: 'AAAA' }, name: 'a.txt' },
  ],
  [
    'a file that does not say what it is',
    { type: 'file', file: { file_data: 'AAAA' } },
    { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' } },
  ],
])('%s is read as a part', (_, part, expected) => {
  expect(readMessage({ role: 'user', content: [part] })).toEqual({ role: 'user', content: [expected] })
})

test.each<[string, object, unknown]>([
  ['a text alone', { content: 'Yes.', refusal: null, tool_calls: [] }, 'Yes.'],
  ['parts of text', { content: [{ type: 'text', text: 'Yes.' }] }, [{ type: 'text', text: 'Yes.' }]],
  ['tool calls alone', { content: null, tool_calls: [call] }, [callPart]],
  ['tool calls with an empty text', { content: '', tool_calls: [call] }, [callPart]],
  ['a text with tool calls', { content: 'So.', tool_calls: [call] }, [{ type: 'text', text: 'So.' }, callPart]],
  ['a refusal', { content: null, refusal: 'No.' }, [{ type: 'refusal', text: 'No.' }]],
  ['a refusal as a part', { content: [{ type: 'refusal', refusal: 'No.' }] }, [{ type: 'refusal', text: 'No.' }]],
  [
    'reasoning',
    { content: 'Yes.', reasoning: 'Hm.' },
    [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Yes.' },
    ],
  ],
])('an answer that is %s is read in the order in which it was said', (_, answer, expected) => {
  expect(readMessage({ role: 'assistant', ...answer })).toEqual({ role: 'assistant', content: expected })
})

test('a result of a tool belongs to its call', () => {
  const called = { role: 'assistant', tool_calls: [call] }
  const result = { role: 'tool', content: 'Nothing there.', tool_call_id: 'call_1' }
  expect(readMessage(called, result)).toEqual({ role: 'tool', callId: 'call_1', content: 'Nothing there.' })
})

test('half a character is carried as it came', () => {
  expect(readMessage({ role: 'user', content: 'cut \ud83d' })).toEqual({ role: 'user', content: 'cut \ud83d' })
})

test('keys that mean something to JavaScript are fields like any other', () => {
  const body = parse(
    JSON.parse('{"messages":[{"role":"user","content":""}],"constructor":1,"toString":{"__proto__":2}}'),
  )
  const { extra = {} } = toCanonical(body)
  expect(JSON.stringify(extra)).toBe('{"constructor":1,"toString":{"__proto__":2}}')
})

test('what a body asks of us is told apart from what it asks of a model', () => {
  const body = parse({
    ...hello,
    background: true,
    store: true,
    metadata: { a: 'b' },
    stream_options: { include_usage: true },
  })
  expect(wishOf(body)).toEqual({ background: true, store: true, metadata: { a: 'b' }, includeUsage: true })
  expect(wishOf(parse(hello))).toEqual({ background: false, store: false, metadata: undefined, includeUsage: false })
})
