import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { type AnthropicConfig, type CompletionRequest, ServiceError } from '@weir/contracts'
import { recording } from './testing/recording.ts'
import { collect, never, requestOf, target } from './testing/requests.ts'
import { anthropicFixture, bodyOf, named, serverFixture } from './testing/upstream.ts'

/** What the server is sent for a request. */
async function callFor(settings: Partial<AnthropicConfig> = {}, asked: Partial<CompletionRequest> = {}) {
  let seen: { path: string | undefined; headers: IncomingHttpHeaders; body: Record<string, unknown> } | undefined
  await using backend = await anthropicFixture(async (request, response) => {
    seen = { path: request.url, headers: request.headers, body: await bodyOf(request) }
    response.end(recording('anthropic-stop-sequence'))
  }, settings)
  const { error } = await collect(backend.stream(requestOf(asked), target, never()))
  if (error) throw error
  return seen!
}

test('a call says what was asked, as the first generation of the API wants it', async () => {
  const { path, headers, body } = await callFor({}, { temperature: 0.5, stop: ['END'] })

  expect(path).toBe('/v1/messages')
  expect(headers).toMatchObject({ 'x-api-key': 'sk-secret', 'anthropic-version': '2023-06-01' })
  expect(headers).not.toHaveProperty('authorization')
  expect(headers).not.toHaveProperty('anthropic-beta')
  expect(body).toEqual({
    model: 'small',
    messages: [{ role: 'user', content: 'Why do rivers bend?' }],
    max_tokens: 100,
    temperature: 0.5,
    stop_sequences: ['END'],
    stream: true,
  })
})

test('the second generation takes a bearer and no sampling, not even what changes nothing', async () => {
  const { headers, body } = await callFor({ version: '2026-10-21' }, { temperature: 1, topP: 1 })

  expect(headers).toMatchObject({ authorization: 'Bearer sk-secret', 'anthropic-version': '2026-10-21' })
  expect(headers).not.toHaveProperty('x-api-key')
  expect(body).not.toHaveProperty('temperature')
  expect(body).not.toHaveProperty('top_p')
  await expect(callFor({ version: '2026-10-21' }, { temperature: 0.5 })).rejects.toMatchObject({
    code: 'unsupported_parameter',
    param: 'temperature',
  })
})

test.each(['', '/', '/v1', '/v1/', '/gateway/v1'])(
  'a base URL that ends in "%s" leads to the messages',
  async (end) => {
    let path: string | undefined
    await using server = await serverFixture((request, response) => {
      path = request.url
      response.end(recording('anthropic-stop-sequence'))
    })
    await using backend = await anthropicFixture(() => {}, { base_url: server.url + end })

    await collect(backend.stream(requestOf(), target, never()))

    expect(path).toBe(end === '/gateway/v1' ? '/gateway/v1/messages' : '/v1/messages')
  },
)

test('betas, headers, a query and vendor fields go along as the catalogue says', async () => {
  const settings: Partial<AnthropicConfig> = {
    beta: ['context-1m-2026', 'skills-2026'],
    auth: 'bearer',
    headers: { 'X-Team': 'weir', 'X-Gateway-Key': { env: 'KEY' } },
    query: { beta: 'true' },
    pass_fields: ['container'],
  }

  const { path, headers, body } = await callFor(settings, { extra: { container: 'c1' } })

  expect(path).toBe('/v1/messages?beta=true')
  expect(headers).toMatchObject({
    authorization: 'Bearer sk-secret',
    'anthropic-beta': 'context-1m-2026,skills-2026',
    'x-team': 'weir',
    'x-gateway-key': 'sk-secret',
  })
  expect(body).toMatchObject({ container: 'c1', model: 'small' })
})

test('what this API has no word for is refused before anything is sent', async () => {
  const error = await callFor({}, { seed: 7 }).catch((thrown: unknown) => thrown)

  expect(error).toBeInstanceOf(ServiceError)
  expect(error).toMatchObject({ code: 'unsupported_parameter', param: 'seed' })
})

test('an overload in the middle of a stream is an overload, and its sentence stays here', async () => {
  const stream = named(
    { type: 'message_start' },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Once' } },
    { type: 'error', error: { type: 'overloaded_error', message: 'org-weir is overloaded' } },
  )
  await using backend = await anthropicFixture((_request, response) => void response.end(stream))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toEqual([{ type: 'text', choice: 0, text: 'Once' }])
  expect(error).toMatchObject({ code: 'backend_overloaded', message: expect.not.stringContaining('org-weir') })
  expect((error as Error).cause).toMatchObject({ message: expect.not.stringContaining('org-weir') })
})

test.each([
  [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API', 'backend_error'],
  [401, 'authentication_error', 'invalid x-api-key', 'backend_error'],
  [402, 'billing_error', 'pay', 'backend_error'],
  [403, 'permission_error', 'Your API key does not have permission', 'backend_error'],
  [404, 'not_found_error', 'model: claude-sonnet-9', 'backend_error'],
  [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 'context_length_exceeded'],
  [400, 'invalid_request_error', 'messages.0: bad', 'invalid_request'],
  [429, 'rate_limit_error', 'This request would exceed the rate limit for your organization', 'backend_overloaded'],
  [529, 'overloaded_error', 'Overloaded', 'backend_overloaded'],
  [500, 'api_error', 'Internal server error', 'backend_error'],
])('a %d %s is ours to word: %s', async (status, type, message, code) => {
  const body = { type: 'error', error: { type, message }, request_id: 'req_1' }
  await using backend = await anthropicFixture(
    (_request, response) =>
      void response
        .writeHead(status, { 'anthropic-ratelimit-requests-reset': '2000-01-01T00:00:00Z' })
        .end(JSON.stringify(body)),
  )

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code, message: expect.not.stringContaining(message) })
  expect((error as Error).cause).toMatchObject({ message: `HTTP ${status} error ${type}` })
})

test('a message that comes whole but for its stop reason has broken off', async () => {
  const message = {
    type: 'message',
    content: [{ type: 'text', text: 'They er' }],
    stop_reason: null,
    usage: { input_tokens: 5, output_tokens: 3 },
  }
  await using backend = await anthropicFixture((_request, response) => void response.end(JSON.stringify(message)))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toEqual([])
  expect(error).toMatchObject({ code: 'backend_error' })
})

test('a message that comes whole although a stream was asked for is an answer all the same', async () => {
  const message = {
    type: 'message',
    content: [{ type: 'text', text: 'They erode.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 3 },
  }
  await using backend = await anthropicFixture((_request, response) => void response.end(JSON.stringify(message)))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
  expect(chunks).toEqual([
    { type: 'text', choice: 0, text: 'They erode.' },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'usage', usage: { inputTokens: 5, cachedInputTokens: 0, outputTokens: 3, source: 'reported' } },
  ])
})
