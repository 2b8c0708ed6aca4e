import { expect, test } from 'vitest'
import { checked } from '../request-error.ts'
import { ChatCompletionRequest, withoutNulls } from './request.ts'

const hello = { messages: [{ role: 'user', content: 'Hello' }] }
const saying = (message: object) => ({ messages: [message] })
const showing = (part: object) => saying({ role: 'user', content: [part] })
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }
const called = { role: 'assistant', content: null, tool_calls: [call] }
const look = { type: 'function', function: { name: 'look' } }
const see = { type: 'function', function: { name: 'see' } }
const withTools = { ...hello, tools: [look] }
const pdf = 'data:application/pdf;base64,JVBERi0='
const marked = { prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } }
const formatOf = (json_schema: object) => ({ ...hello, response_format: { type: 'json_schema', json_schema } })

function errorOf(body: unknown) {
  const { error } = checked(ChatCompletionRequest, withoutNulls(body))
  return error && { code: error.code, param: error.param, message: error.message }
}

test.each<[string, unknown]>([
  ['temperature', { ...hello, temperature: 3 }],
  ['temperature', { ...hello, temperature: '1' }],
  ['top_p', { ...hello, top_p: 1.1 }],
  ['presence_penalty', { ...hello, presence_penalty: -2.1 }],
  ['stop', { ...hello, stop: [] }],
  ['stop', { ...hello, stop: ['a', 'b', 'c', 'd', 'e'] }],
  ['n', { ...hello, n: 0 }],
  ['n', { ...hello, n: 129 }],
  ['max_tokens', { ...hello, max_tokens: 0 }],
  ['max_tokens', { ...hello, max_tokens: 7, max_completion_tokens: 8 }],
  ['seed', { ...hello, seed: 2 ** 53 }],
  ['seed', { ...hello, seed: 1.5 }],
  ['top_logprobs', { ...hello, top_logprobs: 3 }],
  ['top_logprobs', { ...hello, logprobs: true, top_logprobs: 21 }],
  ['logit_bias.50256', { ...hello, logit_bias: { '50256': 101 } }],
  ['logit_bias.word', { ...hello, logit_bias: { word: 1 } }],
  ['reasoning_effort', { ...hello, reasoning_effort: 'hard' }],
  ['service_tier', { ...hello, service_tier: 'slow' }],
  ['modalities[1]', { ...hello, modalities: ['text', 'audio'] }],
  ['metadata.key', { ...hello, metadata: { key: 7 } }],
  ['messages', { messages: [] }],
  ['messages', {}],
  ['messages[0].role', saying({ role: 'robot', content: 'Hello' })],
  ['messages[0].content', saying({ role: 'user', content: 7 })],
  ['messages[0].content', saying({ role: 'user', content: [] })],
  ['messages[0].content', saying({ role: 'user', content: null })],
  [
    'messages[0].content[0].type',
    saying({ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a.test' } }] }),
  ],
  ['messages[0].content[0].text', showing({ type: 'text' })],
  ['messages[0].content[0].type', showing({ type: 'video' })],
  ['messages[0].content[0].image_url.url', showing({ type: 'image_url', image_url: { url: 'ftp://a.test/b.png' } })],
  ['messages[0].content[0].image_url.url', showing({ type: 'image_url', image_url: { url: pdf } })],
  ['messages[0].content[0].image_url.url', showing({ type: 'image_url', image_url: { url: 'data:image/png,plain' } })],
  [
    'messages[0].content[0].input_audio.data',
    showing({ type: 'input_audio', input_audio: { data: '…', format: 'wav' } }),
  ],
  ['messages[0].content[0].file.file_data', showing({ type: 'file', file: { filename: 'a.pdf' } })],
  ['messages[0].content', saying({ role: 'assistant' })],
  ['messages[0].content', saying({ role: 'assistant', content: null, tool_calls: [] })],
  ['messages[0].tool_calls[0].id', saying({ role: 'assistant', tool_calls: [{ ...call, id: '' }] })],
  ['messages[1].tool_call_id', { messages: [called, { role: 'tool', content: 'x', tool_call_id: 'call_2' }] }],
  ['messages[0].tool_call_id', { messages: [{ role: 'tool', content: 'x', tool_call_id: 'call_1' }, called] }],
  ['tools[0].function.name', { ...hello, tools: [{ type: 'function', function: { name: 'two words' } }] }],
  ['tools[0].function.name', { ...hello, tools: [{ type: 'function', function: { name: 'a'.repeat(65) } }] }],
  ['tools[0].type', { ...hello, tools: [{ type: 'retrieval' }] }],
  ['tools[1].function.name', { ...hello, tools: [look, look] }],
  ['tool_choice', { ...hello, tool_choice: 'required' }],
  ['tool_choice', { ...hello, tools: [], tool_choice: 'auto' }],
  ['tool_choice', { ...withTools, tool_choice: 'sometimes' }],
  ['tool_choice.function.name', { ...withTools, tool_choice: { type: 'function', function: { name: 'see' } } }],
  ['tool_choice.custom.name', { ...withTools, tool_choice: { type: 'custom', custom: { name: 'look' } } }],
  [
    'tool_choice.allowed_tools.tools[1].function.name',
    { ...withTools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [look, see] } } },
  ],
  ['response_format.type', { ...hello, response_format: { type: 'yaml' } }],
  ['response_format.json_schema.name', formatOf({ schema: {} })],
  ['response_format.json_schema.name', formatOf({ name: 'an answer' })],
  ['vendor', { ...hello, vendor: 'x'.repeat(70_000) }],
])('what is wrong at %s is refused', (param, body) => {
  expect(errorOf(body)).toMatchObject({ code: 'invalid_request', param })
})

test.each<[string, unknown]>([
  ['messages[0].mood', saying({ role: 'user', content: 'Hello', mood: 'good' })],
  [
    'messages[0].content[0].image_url.size',
    showing({ type: 'image_url', image_url: { url: 'https://a.test', size: 1 } }),
  ],
  ['stream_options.usage', { ...hello, stream_options: { usage: true } }],
  [
    'tools[0].function.arguments',
    { ...hello, tools: [{ type: 'function', function: { name: 'look', arguments: {} } }] },
  ],
  ['response_format.json_schema.type', formatOf({ name: 'answer', type: 'object' })],
  ['x'.repeat(65), { ...hello, ['x'.repeat(65)]: 1 }],
])('%s is an unknown field', (param, body) => {
  expect(errorOf(body)).toMatchObject({ code: 'unknown_parameter', param })
})

test.each<[string, unknown, string]>([
  ['functions', { ...hello, functions: [] }, 'use tools'],
  ['function_call', { ...hello, function_call: 'auto' }, 'use tool_choice'],
  ['messages[0].role', saying({ role: 'function', name: 'look', content: '' }), 'role tool'],
  ['messages[0].function_call', saying({ role: 'assistant', content: '', function_call: {} }), 'use tool_calls'],
  ['messages[0].audio', saying({ role: 'assistant', content: '', audio: { id: 'a' } }), 'not supported'],
  ['messages[0].content[0].file.file_id', showing({ type: 'file', file: { file_id: 'file-1' } }), 'file_data'],
  ['audio', { ...hello, audio: { voice: 'ash' } }, 'answers are text'],
  ['prediction', { ...hello, prediction: {} }, 'not supported'],
  ['moderation', { ...hello, moderation: {} }, 'not supported'],
  ['web_search_options', { ...hello, web_search_options: {} }, 'not supported'],
])('%s is known and not supported', (param, body, message) => {
  expect(errorOf(body)).toMatchObject({
    code: 'unsupported_parameter',
    param,
    message: expect.stringContaining(message),
  })
})

test.each<[string, unknown]>([
  ['no more than a message', hello],
  [
    'every role',
    {
      messages: [
        { role: 'developer', content: 'a' },
        { role: 'system', content: 'b', name: 'c' },
        ...hello.messages,
        called,
        { role: 'tool', content: [{ type: 'text', text: 'x' }], tool_call_id: 'call_1' },
      ],
    },
  ],
  [
    'every content part',
    saying({
      role: 'user',
      content: [
        { type: 'text', text: 'a', ...marked },
        { type: 'image_url', image_url: { url: 'https://a.test/b.png', detail: 'original' }, ...marked },
        { type: 'image_url', image_url: { url: 'data:image/png;charset=x;base64,AAAA' } },
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' }, ...marked },
        { type: 'file', file: { file_data: pdf, filename: 'a.pdf' }, ...marked },
        { type: 'file', file: { file_data: 'JVBERi0=', file_id: null } },
      ],
    }),
  ],
  [
    'an answer as clients repeat it',
    {
      messages: [
        {
          role: 'assistant',
          content: null,
          refusal: null,
          audio: null,
          function_call: null,
          annotations: [],
          reasoning_content: 'hm',
          tool_calls: [{ ...call, index: 0 }],
        },
      ],
    },
  ],
  ['a refusal', saying({ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] })],
  [
    'null on every optional field',
    {
      ...hello,
      ...Object.fromEntries(
        Object.keys(ChatCompletionRequest.shape)
          .filter((key) => key !== 'messages')
          .map((key) => [key, null]),
      ),
    },
  ],
  [
    'null within its fields',
    {
      ...hello,
      tools: [{ type: 'function', function: { name: 'look', strict: null, description: null, parameters: null } }],
      stream_options: { include_usage: null },
      response_format: { type: 'json_schema', json_schema: { name: 'a', strict: null, schema: null } },
    },
  ],
  [
    'options of a stream without a stream',
    { ...hello, stream: false, stream_options: { include_usage: true, include_obfuscation: true } },
  ],
  ['both names of the output cap that agree', { ...hello, max_tokens: 7, max_completion_tokens: 7 }],
  ['probabilities', { ...hello, logprobs: true, top_logprobs: 20 }],
  ['the hardest seed', { ...hello, seed: -Number.MAX_SAFE_INTEGER }],
  [
    'custom tools',
    {
      ...hello,
      tools: [
        {
          type: 'custom',
          custom: { name: 'sql', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } } },
        },
      ],
      tool_choice: { type: 'custom', custom: { name: 'sql' } },
    },
  ],
  [
    'allowed tools',
    { ...withTools, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [look] } } },
  ],
  ['fields of vendors', { ...hello, min_p: 0.1, chat_template_kwargs: { enable_thinking: false } }],
  ['half a character', saying({ role: 'user', content: '\ud83d' })],
])('%s is accepted', (_, body) => {
  expect(errorOf(body)).toBe(undefined)
})

test('a body that is no object is refused without a field', () => {
  expect(errorOf([])).toMatchObject({ code: 'invalid_request', param: undefined })
})

test('an error repeats no more than the beginning of what a client has written', () => {
  expect(errorOf(saying({ role: 'user', content: '', ['x'.repeat(1_000_000)]: 1 }))?.message.length).toBeLessThan(300)
})
