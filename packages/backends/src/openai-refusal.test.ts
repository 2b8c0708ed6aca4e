import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { collect, never, requestOf, target } from './testing/requests.ts'
import { upstreamFixture } from './testing/upstream.ts'

const refusing =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))

async function refusalOf(status: number, body: unknown, headers?: Record<string, string>) {
  await using backend = await upstreamFixture(refusing(status, body, headers))
  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))
  expect(chunks).toEqual([])
  return error as { code: string; message: string; cause: Error; retryAfterMs?: number }
}

test.each([401, 402, 403, 404, 500])(
  'a %d of the vendor says nothing to the client about our account',
  async (status) => {
    const message = 'Incorrect API key provided: sk-secret of org-weir'
    const error = await refusalOf(status, { error: { message, type: 'auth_error', code: 'invalid_api_key' } })

    expect(error).toMatchObject({ code: 'backend_error', message: "The model's backend failed. Please try again." })
    // Of the vendor's words the log gets the names only: sentences may quote a key or the prompt.
    expect(error.cause.message).toBe(`HTTP ${status} auth_error invalid_api_key`)
  },
)

test.each([
  [400, { error: { message: 'Your credit balance is too low to access the API' } }],
  [400, { error: { message: 'API key not valid' } }],
  [429, { error: { type: 'insufficient_quota', message: 'You exceeded your current quota' } }],
])('our own unpaid bill or bad key, told as a %d, is not blamed on the client', async (status, body) => {
  expect(await refusalOf(status, body)).toMatchObject({ code: 'backend_error' })
})

test.each([
  { error: { code: 'context_length_exceeded', message: 'too long' } },
  { object: 'error', message: "This model's maximum context length is 4096 tokens", code: 400 },
  { error: { type: 'exceed_context_size_error', message: 'the request exceeds the available context size' } },
])('a request longer than the context is told so, whatever the server calls it', async (body) => {
  expect(await refusalOf(400, body)).toMatchObject({ code: 'context_length_exceeded' })
})

test('any other refusal of the request is passed on in our words', async () => {
  const error = await refusalOf(400, { error: { message: 'logit_bias: see http://internal-host/docs' } })

  expect(error).toMatchObject({ code: 'invalid_request', message: expect.not.stringContaining('internal-host') })
})

test.each([
  ['7', 7_000],
  ['0', 1_000],
  ['86400', 3_600_000],
  ['soon', 5_000],
  [new Date(Date.now() + 86_400_000).toUTCString(), 3_600_000],
  [new Date(0).toUTCString(), 1_000],
])(
  'an overloaded backend that says Retry-After: %s is left alone for a second to an hour',
  async (retryAfter, retryAfterMs) => {
    const error = await refusalOf(429, 'slow down', { 'retry-after': retryAfter })

    expect(error).toMatchObject({ code: 'backend_overloaded', retryAfterMs })
  },
)

test('an endless error page is not read to its end', async () => {
  await using backend = await upstreamFixture((_request, response) => {
    response.writeHead(503)
    const page = 'x'.repeat(16 * 1024)
    const write = () => {
      if (!response.destroyed) response.write(page, write)
    }
    write()
  })

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_overloaded', retryAfterMs: 5_000 })
})
