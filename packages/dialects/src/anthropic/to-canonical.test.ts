import { expect, test } from 'vitest'
import { fromCanonical } from './from-canonical.ts'
import { MessagesRequest } from './request.ts'
import { toCanonical } from './to-canonical.ts'

const hello = { model: 'fast', max_tokens: 2_000, messages: [{ role: 'user', content: 'Hello' }] }
const read = (fields: object) => toCanonical(MessagesRequest.parse({ ...hello, ...fields }))
const ephemeral = { type: 'ephemeral' }

test('a plain request is read without anything that it does not say', () => {
  expect(JSON.parse(JSON.stringify(read({})))).toEqual({
    model: 'fast',
    messages: [{ role: 'user', content: 'Hello' }],
    maxOutputTokens: 2_000,
    stream: false,
  })
})

test('a conversation with tools is read in its order, whatever a turn holds', () => {
  const body = {
    system: [{ type: 'text', text: 'Be brief.', cache_control: { ...ephemeral, ttl: '1h' } }],
    messages: [
      { role: 'user', content: 'What is 1 + 1?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 'sig' },
          { type: 'redacted_thinking', data: 'xyz' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'a', name: 'add', input: { x: 1 }, caller: { type: 'direct' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '2' }], cache_control: ephemeral },
          { type: 'text', text: 'And?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'tool_result', tool_use_id: 'a', is_error: true },
        ],
      },
      { role: 'system', content: 'Hurry.' },
    ],
  }
  expect(read(body).messages).toEqual([
    { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache: { ttl: '1h' } }] },
    { role: 'user', content: 'What is 1 + 1?' },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm', signature: 'sig' },
        { type: 'redacted_reasoning', data: 'xyz' },
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_call', id: 'a', kind: 'function', name: 'add', arguments: '{"x":1}' },
      ],
    },
    { role: 'tool', callId: 'a', content: [{ type: 'text', text: '2' }], cache: {} },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And?' },
        { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aGk=' } },
      ],
    },
    { role: 'tool', callId: 'a', content: '', isError: true },
    { role: 'system', content: 'Hurry.' },
  ])
})

test.each([
  [{ type: 'auto' }, { type: 'auto' }, undefined],
  [{ type: 'any', disable_parallel_tool_use: true }, { type: 'required' }, false],
  [
    { type: 'tool', name: 'add', disable_parallel_tool_use: false },
    { type: 'tool', kind: 'function', name: 'add' },
    true,
  ],
  [{ type: 'none' }, { type: 'none' }, undefined],
])('the choice of tools %j is read as %j', (tool_choice, toolChoice, parallelToolCalls) => {
  const tools = [{ name: 'add', input_schema: { type: 'object' } }]
  const asked = read({ tools, tool_choice })
  expect([asked.toolChoice, asked.parallelToolCalls]).toEqual([toolChoice, parallelToolCalls])
})

test.each([
  [
    { thinking: { type: 'enabled', budget_tokens: 1_024, display: 'omitted' } },
    { thinking: { type: 'enabled', budgetTokens: 1_024 }, display: 'omitted' },
  ],
  [
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    { effort: 'low', thinking: { type: 'adaptive' } },
  ],
  [{ thinking: { type: 'between_tools' } }, { thinking: { type: 'between_tools' } }],
  [{ thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
  [{ output_config: { effort: 'max' } }, { effort: 'max' }],
])('%j asks for reasoning %j', (fields, reasoning) => {
  expect(read(fields).reasoning).toEqual(reasoning)
})

test('a mark at the top of a request is one on the last block that can have it', () => {
  const last = (content: unknown, before: object[] = []) =>
    read({ cache_control: ephemeral, messages: [...before, { role: 'user', content }] }).messages.at(-1)
  const call = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'add', input: {} }] }
  const result = { type: 'tool_result', tool_use_id: 'a', content: '2' }

  expect(last('Hello')).toEqual({ role: 'user', content: [{ type: 'text', text: 'Hello', cache: {} }] })
  expect(last([result], [call])).toMatchObject({ role: 'tool', cache: {} })
  expect(last([{ type: 'text', text: 'a', cache_control: { ...ephemeral, ttl: '1h' } }])).toMatchObject({
    content: [{ cache: { ttl: '1h' } }],
  })
  const thought = { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm', signature: 'sig' }] }
  expect(read({ cache_control: ephemeral, messages: [...hello.messages, thought] }).messages[0]).toMatchObject({
    content: [{ cache: {} }],
  })
})

test('arguments that were no JSON come back as they were written', () => {
  const messages = [
    {
      role: 'assistant' as const,
      content: [{ type: 'tool_call' as const, id: 'a', kind: 'function' as const, name: 'add', arguments: '{"x": 1' }],
    },
  ]
  const body = fromCanonical({ messages, maxOutputTokens: 10, stream: false })
  expect(body.messages[0]!.content).toMatchObject([{ input: { INVALID_JSON: '{"x": 1' } }])
  expect(toCanonical(MessagesRequest.parse(body)).messages).toEqual(messages)
})
