import type { Message, RequestDraft } from '@weir/contracts'
import { expect, test } from 'vitest'
import { fromCanonical } from './from-canonical.ts'
import { MessagesRequest } from './request.ts'

const hello: RequestDraft = { messages: [{ role: 'user', content: 'Hello' }], maxOutputTokens: 2_000, stream: true }
const add = { kind: 'function' as const, name: 'add' }
const subtract = { kind: 'function' as const, name: 'subtract', parameters: { type: 'object' } }

/** The body, which a backend of this kind would take. */
function bodyOf(fields: Partial<RequestDraft>) {
  const body = fromCanonical({ ...hello, ...fields })
  expect(MessagesRequest.safeParse(body).error).toBeUndefined()
  return body
}

test('a plain request says no more than it was asked', () => {
  expect(bodyOf({})).toEqual({ max_tokens: 2_000, messages: [{ role: 'user', content: 'Hello' }] })
})

test('instructions that come first stand beside the messages, later ones among them', () => {
  const messages: Message[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'developer', content: [{ type: 'text', text: 'Be kind.', cache: {} }] },
    { role: 'user', content: 'Hello' },
    { role: 'developer', content: 'Hurry.' },
  ]
  expect(bodyOf({ messages })).toMatchObject({
    system: [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } },
    ],
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'system', content: 'Hurry.' },
    ],
  })
  expect(bodyOf({ messages: messages.slice(0, 1) })).toMatchObject({
    messages: [{ role: 'system', content: 'Be brief.' }],
  })
})

test('what comes from one side in a row is one turn', () => {
  const call = (id: string) => ({ type: 'tool_call' as const, id, ...add, arguments: '' })
  const messages: Message[] = [
    { role: 'user', content: 'a' },
    { role: 'user', content: [{ type: 'text', text: 'b' }] },
    { role: 'assistant', content: [{ type: 'text', text: '' }, call('1'), call('2')] },
    { role: 'tool', callId: '1', content: 'one' },
    { role: 'tool', callId: '2', content: [{ type: 'text', text: 'two' }], isError: true },
    { role: 'user', content: 'c' },
  ]
  expect(bodyOf({ messages }).messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: '1', name: 'add', input: {} },
        { type: 'tool_use', id: '2', name: 'add', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: '1', content: 'one' },
        { type: 'tool_result', tool_use_id: '2', content: [{ type: 'text', text: 'two' }], is_error: true },
        { type: 'text', text: 'c' },
      ],
    },
  ])
})

test('an assistant that speaks twice has one turn, and the system as many as it speaks', () => {
  const messages: Message[] = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'assistant', content: 'c' },
    { role: 'system', content: 'd' },
    { role: 'system', content: 'e' },
  ]
  expect(bodyOf({ messages }).messages).toEqual([
    { role: 'user', content: 'a' },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'b' },
        { type: 'text', text: 'c' },
      ],
    },
    { role: 'system', content: 'd' },
    { role: 'system', content: 'e' },
  ])
})

test.each([
  [
    { temperature: 0.5, topP: 0.9, topK: 5 },
    { temperature: 0.5, top_p: 0.9, top_k: 5 },
  ],
  [
    { stop: ['END'], endUser: 'u', serviceTier: 'default' },
    { stop_sequences: ['END'], metadata: { user_id: 'u' }, service_tier: 'standard_only' },
  ],
  [{ reasoning: { effort: 'high' } }, { output_config: { effort: 'high' } }],
  [{ reasoning: { effort: 'none' } }, { thinking: { type: 'disabled' } }],
  [
    { reasoning: { thinking: { type: 'adaptive' }, display: 'omitted' } },
    { thinking: { type: 'adaptive', display: 'omitted' } },
  ],
  [
    { reasoning: { thinking: { type: 'enabled', budgetTokens: 1_500 } } },
    { thinking: { type: 'enabled', budget_tokens: 1_500 } },
  ],
  [
    { reasoning: { thinking: { type: 'enabled', budgetTokens: 9_999 } } },
    { thinking: { type: 'enabled', budget_tokens: 1_999 } },
  ],
  [
    { maxOutputTokens: 500, reasoning: { thinking: { type: 'enabled', budgetTokens: 9_999 } } },
    { thinking: { type: 'disabled' } },
  ],
  [
    {
      responseFormat: {
        type: 'json_schema',
        name: 'sum',
        description: 'A sum',
        schema: { type: 'object' },
        strict: true,
      },
    },
    { output_config: { format: { type: 'json_schema', schema: { description: 'A sum', type: 'object' } } } },
  ],
  [{ choices: 1, frequencyPenalty: 0, presencePenalty: 0, logitBias: {}, promptCacheKey: 'a' }, {}],
  [{ parallelToolCalls: false, toolChoice: { type: 'auto' } }, {}],
  [
    { tools: [add], parallelToolCalls: false },
    {
      tools: [{ name: 'add', input_schema: { type: 'object', properties: {} } }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
  ],
  [{ tools: [subtract], toolChoice: { type: 'required' } }, { tool_choice: { type: 'any' } }],
  [{ tools: [subtract], toolChoice: { type: 'none' }, parallelToolCalls: false }, { tool_choice: { type: 'none' } }],
  [
    { tools: [add, subtract], toolChoice: { type: 'allowed', mode: 'required', tools: [subtract] } },
    { tools: [{ name: 'subtract', input_schema: { type: 'object' } }], tool_choice: { type: 'any' } },
  ],
] as [Partial<RequestDraft>, object][])('%j is said as %j', (fields, said) => {
  const { messages: _messages, max_tokens: _cap, ...body } = bodyOf(fields)
  if (Object.keys(said).length === 0) expect(body).toEqual({})
  expect(body).toMatchObject(said)
})

const custom = { kind: 'custom' as const, name: 'lark' }
const assistant = (...content: object[]) => ({ messages: [{ role: 'assistant', content }] }) as Partial<RequestDraft>
const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] }) as Partial<RequestDraft>
const bitmap = { kind: 'base64', mediaType: 'image/bmp', data: 'aGk=' }

test.each([
  [{ choices: 2 }, 'n'],
  [{ logprobs: { top: 0 } }, 'logprobs'],
  [{ seed: 0 }, 'seed'],
  [{ frequencyPenalty: 0.1 }, 'frequency_penalty'],
  [{ presencePenalty: -1 }, 'presence_penalty'],
  [{ logitBias: { 5: 1 } }, 'logit_bias'],
  [{ verbosity: 'low' }, 'verbosity'],
  [{ serviceTier: 'flex' }, 'service_tier'],
  [{ temperature: 1.5 }, 'temperature'],
  [{ reasoning: { effort: 'minimal' } }, 'reasoning_effort'],
  [{ responseFormat: { type: 'json_object' } }, 'response_format'],
  [{ responseFormat: { type: 'json_schema', name: 'a' } }, 'response_format.json_schema.schema'],
  [{ extra: { top_a: 1 } }, 'top_a'],
  [{ tools: [custom] }, 'tools'],
  [{ tools: [add], toolChoice: { type: 'tool', ...custom } }, 'tool_choice'],
  [{ toolChoice: { type: 'required' } }, 'tool_choice'],
  [{ messages: [{ role: 'user', content: 'a', name: 'Ada' }] }, 'messages[0].name'],
  [{ messages: [{ role: 'system', content: 'a', name: 'Ada' }, ...hello.messages] }, 'messages[0].name'],
  [user({ type: 'audio', format: 'wav', data: 'aGk=' }), 'messages[0].content[0]'],
  [
    user({ type: 'image', detail: 'low', source: { kind: 'url', url: 'https://a/b' } }),
    'messages[0].content[0].image_url.detail',
  ],
  [user({ type: 'image', source: bitmap }), 'messages[0].content[0]'],
  [user({ type: 'file', source: bitmap }), 'messages[0].content[0]'],
  [assistant({ type: 'reasoning', text: 'Hm' }), 'messages'],
  [assistant({ type: 'tool_call', id: 'a', ...custom, arguments: '' }), 'messages'],
] as [Partial<RequestDraft>, string][])('%j is refused, not dropped', (fields, param) => {
  expect(() => fromCanonical({ ...hello, ...fields })).toThrow(
    expect.objectContaining({ code: 'unsupported_parameter', param }),
  )
})

test.each([
  [
    { kind: 'url', url: 'https://a/b' },
    { type: 'url', url: 'https://a/b' },
  ],
  [
    { kind: 'text', text: 'hi' },
    { type: 'text', media_type: 'text/plain', data: 'hi' },
  ],
  [
    { kind: 'base64', mediaType: 'text/plain', data: 'aGk=' },
    { type: 'text', media_type: 'text/plain', data: 'hi' },
  ],
  [
    { kind: 'base64', mediaType: 'application/pdf', data: 'aGk=' },
    { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
  ],
])('a file of %j is a document of %j', (source, said) => {
  expect(bodyOf(user({ type: 'file', name: 'a.txt', source })).messages[0]!.content).toEqual([
    { type: 'document', title: 'a.txt', source: said },
  ])
})
