import { expect, test } from 'vitest'
import { type CompletionRequest, OpenAiConfig } from '@weir/contracts'
import { openAiBodyOf } from './openai-body.ts'
import { requestOf, target } from './testing/requests.ts'

const OPENAI = 'https://api.openai.com/v1'
const VLLM = 'http://127.0.0.1:8000/v1'

const bodyFor = (base_url: string, asked: Partial<CompletionRequest> = {}, options: object = {}) =>
  JSON.parse(
    JSON.stringify(
      openAiBodyOf(requestOf(asked), target, OpenAiConfig.parse({ kind: 'openai', base_url, ...options })),
    ),
  )

const developer: Partial<CompletionRequest> = { messages: [{ role: 'developer', content: 'Be brief.' }] }

test.each([OPENAI, 'https://weir.openai.azure.com/openai/v1'])(
  '%s gets its output limit under the name its reasoning models accept, and the role of developers',
  (base_url) => {
    const body = bodyFor(base_url, developer)
    expect(body).toMatchObject({ max_completion_tokens: 100, messages: [{ role: 'developer' }] })
    expect(body).not.toHaveProperty('max_tokens')
  },
)

test('another server gets the names that all of them know', () => {
  const body = bodyFor(VLLM, developer)

  expect(body).toMatchObject({ max_tokens: 100, messages: [{ role: 'system', content: 'Be brief.' }] })
  expect(body).not.toHaveProperty('max_completion_tokens')
})

test('a body says what was asked and nothing else', () => {
  expect(bodyFor(VLLM)).toEqual({
    model: 'small',
    messages: [{ role: 'user', content: 'Why do rivers bend?' }],
    max_tokens: 100,
    stream: true,
    stream_options: { include_usage: true },
  })
})

test('a server that reads fields in another way than its address says can be told so', () => {
  const options = { max_tokens_field: 'max_completion_tokens', developer_role: 'keep', stream_options: false }

  const body = bodyFor(VLLM, developer, options)

  expect(body).toMatchObject({ max_completion_tokens: 100, messages: [{ role: 'developer' }] })
  expect(body).not.toHaveProperty('max_tokens')
  expect(body).not.toHaveProperty('stream_options')
})

test('how a prompt is kept is said to those who know it', () => {
  const asked: Partial<CompletionRequest> = {
    promptCacheKey: 'tenant-7',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Long', cache: {} }] }],
  }

  expect(bodyFor(OPENAI, asked)).toHaveProperty('prompt_cache_key', 'tenant-7')
  expect(JSON.stringify(bodyFor(VLLM, asked))).not.toContain('prompt_cache')
  expect(bodyFor(VLLM, asked, { prompt_cache_fields: 'keep' })).toHaveProperty('prompt_cache_key', 'tenant-7')
})

test('a vendor field reaches a backend that lists it, as it came, and is refused by another', () => {
  const asked = { extra: { chat_template_kwargs: { enable_thinking: false } } }

  expect(bodyFor(VLLM, asked, { pass_fields: ['chat_template_kwargs'] })).toMatchObject(asked.extra)
  expect(() => bodyFor(VLLM, asked)).toThrow(
    expect.objectContaining({ code: 'unsupported_parameter', param: 'chat_template_kwargs' }),
  )
})

test('a vendor field cannot replace what was paid for, whatever it is called', () => {
  const extra = { max_tokens: 1_000_000, model: 'dear', stream: false }
  const config = OpenAiConfig.parse({ kind: 'openai', base_url: VLLM, max_tokens_field: 'max_tokens' })
  // No catalogue can list these; should one some day, they still come first.
  const listing = { ...config, pass_fields: Object.keys(extra) }

  const body = openAiBodyOf(requestOf({ extra }), target, listing)

  expect(body).toMatchObject({ max_tokens: 100, model: 'small', stream: true })
})
