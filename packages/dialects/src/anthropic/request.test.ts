import { expect, test } from 'vitest'
import { checked } from '../request-error.ts'
import { assertBounded } from './bounds.ts'
import { CountTokensRequest, MessagesRequest, wishOf, withoutNulls } from './request.ts'
import { toCanonical, toCanonicalCount } from './to-canonical.ts'

const hello = { max_tokens: 2_000, messages: [{ role: 'user', content: 'Hello' }] }
const user = (...content: object[]) => ({ ...hello, messages: [{ role: 'user', content }] })
const assistant = (...content: object[]) => ({ ...hello, messages: [{ role: 'assistant', content }] })
const tool = { name: 'add', input_schema: { type: 'object' } }
const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' }

function errorOf(body: unknown) {
  const { error } = checked(MessagesRequest, withoutNulls(body))
  if (!error) throw new Error('the schema accepts it')
  return { code: error.code, param: error.param }
}

test.each([
  [[], undefined],
  [{}, 'messages'],
  [{ messages: hello.messages }, 'max_tokens'],
  [{ ...hello, max_tokens: 0 }, 'max_tokens'],
  [{ ...hello, max_tokens: 1.5 }, 'max_tokens'],
  [{ ...hello, messages: [] }, 'messages'],
  [{ ...hello, messages: [{ role: 'tool', content: 'Hello' }] }, 'messages[0].role'],
  [{ ...hello, messages: [{ role: 'user' }] }, 'messages[0].content'],
  [{ ...hello, messages: [{ role: 'user', content: [] }] }, 'messages[0].content'],
  [{ ...hello, system: 7 }, 'system'],
  [{ ...hello, system: [{ type: 'image' }] }, 'system[0].type'],
  [{ ...hello, temperature: 1.1 }, 'temperature'],
  [{ ...hello, top_p: 2 }, 'top_p'],
  [{ ...hello, top_k: -1 }, 'top_k'],
  [{ ...hello, stop_sequences: [''] }, 'stop_sequences[0]'],
  [{ ...hello, service_tier: 'priority' }, 'service_tier'],
  [{ ...hello, thinking: { type: 'enabled', budget_tokens: 1_023 } }, 'thinking.budget_tokens'],
  [{ ...hello, thinking: { type: 'enabled', budget_tokens: 2_000 } }, 'thinking.budget_tokens'],
  [{ ...hello, thinking: { type: 'often' } }, 'thinking.type'],
  [{ ...hello, output_config: { effort: 'minimal' } }, 'output_config.effort'],
  [{ ...hello, output_config: { format: { type: 'json_object' } } }, 'output_config.format.type'],
  [{ ...hello, tools: [{ name: 'add' }] }, 'tools[0].input_schema'],
  [{ ...hello, tools: [{ name: 'add', input_schema: {} }] }, 'tools[0].input_schema.type'],
  [{ ...hello, tools: [{ ...tool, name: 'a b' }] }, 'tools[0].name'],
  [{ ...hello, tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 5 }] }, 'tools[0].type'],
  [{ ...hello, tools: [{ ...tool, defer_loading: true }] }, 'tools[0].defer_loading'],
  [{ ...hello, tools: [tool, tool] }, 'tools[1].name'],
  [user({ type: 'tool_result', tool_use_id: 'a' }), 'messages[0].content[0].tool_use_id'],
  [{ ...hello, tool_choice: { type: 'auto' } }, 'tool_choice'],
  [{ ...hello, tools: [tool], tool_choice: { type: 'tool', name: 'subtract' } }, 'tool_choice.name'],
  [{ ...hello, tools: [tool], tool_choice: 'auto' }, 'tool_choice'],
  [user({ type: 'text' }), 'messages[0].content[0].text'],
  [user({ type: 'search_result' }), 'messages[0].content[0].type'],
  [user({ type: 'text', text: 'a', citations: [{}] }), 'messages[0].content[0].citations'],
  [user({ type: 'text', text: 'a', cache_control: { type: 'ever' } }), 'messages[0].content[0].cache_control.type'],
  [user({ type: 'image', source: { type: 'file', file_id: 'file_1' } }), 'messages[0].content[0].source.type'],
  [user({ type: 'image', source: { type: 'url', url: 'ftp://a/b' } }), 'messages[0].content[0].source.url'],
  [user({ type: 'image', source: { ...pdf, media_type: 'image/bmp' } }), 'messages[0].content[0].source.media_type'],
  [user({ type: 'document', source: { type: 'content', content: 'a' } }), 'messages[0].content[0].source.type'],
  [user({ type: 'document', source: pdf, citations: { enabled: true } }), 'messages[0].content[0].citations.enabled'],
  [user({ type: 'tool_result' }), 'messages[0].content[0].tool_use_id'],
  [
    user({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'audio' }] }),
    'messages[0].content[0].content[0].type',
  ],
  [assistant({ type: 'document', source: pdf }), 'messages[0].content[0].type'],
  [assistant({ type: 'tool_use', id: 'a', name: 'add', input: 'text' }), 'messages[0].content[0].input'],
  [assistant({ type: 'server_tool_use', id: 'a', name: 'web_search', input: {} }), 'messages[0].content[0].type'],
])('%j is refused at %s', (body, param) => {
  expect(errorOf(body)).toEqual({ code: 'invalid_request', param })
})

test.each(['container', 'context_management', 'diagnostics', 'inference_geo', 'mcp_servers', 'speed'])(
  "'%s' is known, and not supported unless it is null",
  (field) => {
    expect(errorOf({ ...hello, [field]: {} })).toEqual({ code: 'unsupported_parameter', param: field })
    expect(MessagesRequest.safeParse({ ...hello, [field]: null }).success).toBe(true)
  },
)

test.each([
  [{ ...hello, max_token: 1 }, 'max_token'],
  [user({ type: 'text', text: 'a', mood: 'good' }), 'messages[0].content[0].mood'],
  [{ ...hello, thinking: { type: 'disabled', budget_tokens: 1_024 } }, 'thinking.budget_tokens'],
  [{ ...hello, metadata: { trace: 'a' } }, 'metadata.trace'],
])('%j has a field that nobody knows', (body, param) => {
  expect(errorOf(body)).toEqual({ code: 'unknown_parameter', param })
})

test('null on an optional field is the same as leaving it out, wherever it stands', () => {
  const nulls = {
    ...hello,
    system: null,
    temperature: null,
    tools: [{ ...tool, type: null, cache_control: null, strict: null }],
    metadata: { user_id: null },
    output_config: { effort: null, format: null },
    thinking: { type: 'adaptive', display: null },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', citations: null, cache_control: null }] }],
    of_tomorrow: null,
  }
  const none = {
    ...hello,
    tools: [tool],
    thinking: { type: 'adaptive' },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
  }
  const read = (body: unknown) => toCanonical(MessagesRequest.parse(withoutNulls(body)))
  expect(read(nulls)).toEqual(read(none))
})

test('the second generation knows neither sampling nor what the schema refuses anyway', () => {
  const read = (fields: object, version?: string) =>
    toCanonical(MessagesRequest.parse({ ...hello, ...fields }), version)
  for (const field of ['temperature', 'top_p', 'top_k']) {
    expect(() => read({ [field]: 1 }, '2026-10-21')).toThrow(field)
    for (const version of ['2023-06-01', '2024-01-01', undefined]) expect(read({ [field]: 1 }, version)).toBeDefined()
    expect(read({ [field]: null }, '2026-10-21')).toBeDefined()
  }
})

test('a prompt is counted without a word about its answer', () => {
  const { messages } = hello
  const body = CountTokensRequest.parse({ model: 'fast', messages, system: 'Be brief.', tools: [tool] })
  expect(toCanonicalCount(body)).toMatchObject({
    model: 'fast',
    messages: [{ role: 'system' }, { role: 'user' }],
    tools: [{ name: 'add' }],
  })
  expect(CountTokensRequest.safeParse(hello).success).toBe(false)
})

test('what is asked of us is told apart from what is asked of the model', () => {
  const wish = wishOf(MessagesRequest.parse({ ...hello, background: true, metadata: { user_id: 'u' } }))
  expect(wish).toEqual({ background: true, store: false, metadata: undefined, includeUsage: true })
})

const many = (count: number, item: unknown) => Array.from({ length: count }, () => item)
const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

test.each([
  ['messages', { messages: many(10_001, {}) }],
  ['blocks', { messages: many(101, { content: many(100, {}) }) }],
  ['blocks of results', { messages: [{ content: many(101, { content: many(100, {}) }) }] }],
])('too many %s are refused before a schema looks at each', (_, body) => {
  expect(() => assertBounded(body)).toThrow('more than')
})

test('what is nested too deep is refused before anybody has to write it again', () => {
  const input = nested(50_000)
  expect(() => assertBounded(assistant({ type: 'tool_use', id: 'a', name: 'add', input }))).toThrow('deep')
})

test('what a schema can look at is left to it', () => {
  for (const bounded of [hello, undefined, null, [], 'text', { messages: {} }, { messages: [null, { content: [1] }] }])
    expect(() => assertBounded(bounded)).not.toThrow()
})
