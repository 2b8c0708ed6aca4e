import type { Message, RequestDraft } from '@weir/contracts'
import { expect, test } from 'vitest'
import { fromCanonical } from './from-canonical.ts'

const hello: RequestDraft = { messages: [{ role: 'user', content: 'Hello' }], stream: true }
const messagesOf = (...messages: Message[]) => fromCanonical({ ...hello, messages }).messages
const text = (text: string) => ({ type: 'text' as const, text })
const call = { type: 'tool_call' as const, id: 'call_1', kind: 'function' as const, name: 'look', arguments: '{}' }

test('a body says no more than the request, and leaves it to the caller whether to stream', () => {
  expect(fromCanonical(hello)).toStrictEqual({ messages: [{ role: 'user', content: 'Hello' }] })
})

test.each<[Partial<RequestDraft>, object]>([
  [
    { topK: 3, maxOutputTokens: 7 },
    { top_k: 3, max_completion_tokens: 7 },
  ],
  [{ reasoning: { thinking: { type: 'enabled', budgetTokens: 1_024 } } }, { reasoning_effort: 'low' }],
  [{ reasoning: { thinking: { type: 'enabled', budgetTokens: 10_000 } } }, { reasoning_effort: 'medium' }],
  [{ reasoning: { thinking: { type: 'enabled', budgetTokens: 20_000 } } }, { reasoning_effort: 'high' }],
  [{ reasoning: { thinking: { type: 'enabled', budgetTokens: 60_000 } } }, { reasoning_effort: 'xhigh' }],
  [{ reasoning: { thinking: { type: 'disabled' } } }, { reasoning_effort: 'none' }],
  [{ reasoning: { thinking: { type: 'adaptive' }, display: 'omitted' } }, {}],
  [{ reasoning: { effort: 'max', thinking: { type: 'enabled', budgetTokens: 1_024 } } }, { reasoning_effort: 'max' }],
  [
    { responseFormat: { type: 'json_schema', schema: {} } },
    { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: {} } } },
  ],
  [{ extra: { min_p: 0.1, messages: [] } }, { min_p: 0.1 }],
  [{ stop: [], logprobs: { top: 0 } }, { logprobs: true }],
])('%j goes out as %j', (fields, expected) => {
  expect(fromCanonical({ ...hello, ...fields })).toEqual({ ...fromCanonical(hello), ...expected })
})

test('what a tool has shown follows all results, as a message of the user', () => {
  const image = { type: 'image' as const, source: { kind: 'base64' as const, mediaType: 'image/png', data: 'AAAA' } }
  const messages = messagesOf(
    { role: 'assistant', content: [call, { ...call, id: 'call_2' }] },
    { role: 'tool', callId: 'call_1', content: [text('Here.'), image] },
    { role: 'tool', callId: 'call_2', content: 'Gone.', isError: true },
    { role: 'user', content: 'Well?' },
  )

  expect(messages.slice(1)).toEqual([
    { role: 'tool', tool_call_id: 'call_1', content: [text('Here.')] },
    { role: 'tool', tool_call_id: 'call_2', content: 'Error: Gone.' },
    {
      role: 'user',
      content: [
        text('Shown by the tool call call_1:'),
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ],
    },
    { role: 'user', content: 'Well?' },
  ])
})

test('a tool that has shown an image alone has an empty result', () => {
  const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://a.test' } }
  const messages = messagesOf({ role: 'tool', callId: 'call_1', content: [image], isError: true })
  expect(messages[0]).toEqual({ role: 'tool', tool_call_id: 'call_1', content: 'Error: ' })
  expect(messages[1]).toMatchObject({ role: 'user' })
})

test('reasoning goes out without its signature', () => {
  const reasoning = { type: 'reasoning' as const, text: 'Hm.', signature: 'abc' }
  expect(messagesOf({ role: 'assistant', content: [reasoning, text('Yes.')] })).toEqual([
    { role: 'assistant', content: 'Yes.', reasoning_content: 'Hm.' },
  ])
})

test('marks live at least as long as was asked, and are left out for a server that does not know them', () => {
  const marked = (ttl?: '5m' | '1h') => ({ ...text('a'), cache: ttl ? { ttl } : {} })
  const messages: Message[] = [
    { role: 'system', content: [marked(), marked('5m'), marked('1h')] },
    { role: 'tool', callId: 'call_1', content: 'b', cache: { ttl: '1h' } },
  ]
  const breakpoint = { mode: 'explicit' }

  expect(messagesOf(...messages)).toMatchObject([
    {
      content: [
        { prompt_cache_breakpoint: breakpoint },
        { prompt_cache_breakpoint: { ttl: '30m' } },
        { prompt_cache_breakpoint: { ttl: '12h' } },
      ],
    },
    { content: [{ text: 'b', prompt_cache_breakpoint: { ...breakpoint, ttl: '12h' } }] },
  ])
  const body = fromCanonical({ ...hello, messages }, { cacheMarks: false })
  expect(JSON.stringify(body)).not.toContain('breakpoint')
  expect(body.messages[1]).toEqual({ role: 'tool', tool_call_id: 'call_1', content: 'b' })
})

test('a file of plain text goes out as text', () => {
  const file = { type: 'file' as const, source: { kind: 'text' as const, text: 'Once.' }, name: 'a.txt' }
  expect(messagesOf({ role: 'user', content: [file] })).toEqual([{ role: 'user', content: [text('a.txt\n\nOnce.')] }])
})

test.each<[string, Message]>([
  [
    'a file by its address',
    { role: 'user', content: [{ type: 'file', source: { kind: 'url', url: 'https://a.test' } }] },
  ],
  ['redacted reasoning', { role: 'assistant', content: [{ type: 'redacted_reasoning', data: 'x' }, text('Yes.')] }],
])('%s cannot be said and is refused', (_, message) => {
  expect(() => messagesOf(message)).toThrow(
    expect.objectContaining({ code: 'unsupported_parameter', param: 'messages' }),
  )
})
