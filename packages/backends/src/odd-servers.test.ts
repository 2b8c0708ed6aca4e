import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { recording } from './testing/recording.ts'
import { collect, never, requestOf, target, textOf } from './testing/requests.ts'
import { anthropicFixture, delta, finish, serverFixture, sse, upstreamFixture } from './testing/upstream.ts'

const kinds = [
  { kind: 'openai', fixture: upstreamFixture, stream: recording('vllm-reasoning') },
  { kind: 'anthropic', fixture: anthropicFixture, stream: recording('anthropic-thinking') },
] as const

const json =
  (body: unknown, status = 200): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const answer = (finish_reason: string | null = 'stop') => ({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Whole' }, finish_reason }],
  usage: { prompt_tokens: 5, completion_tokens: 1 },
})

test.each(kinds)(
  'a server of kind $kind that sends three bytes at a time is understood',
  async ({ fixture, stream }) => {
    await using whole = await fixture((_request, response) => void response.end(stream))
    await using fragmented = await fixture(async (_request, response) => {
      for (let at = 0; at < stream.length; at += 3) {
        response.write(stream.subarray(at, at + 3))
        await setImmediate()
      }
      response.end()
    })

    const expected = await collect(whole.stream(requestOf(), target, never()))

    expect(await collect(fragmented.stream(requestOf(), target, never()))).toEqual(expected)
    expect(expected.error).toBeUndefined()
  },
)

test.each(kinds)(
  'a server of kind $kind that hangs before its headers, or after them, is given up',
  async ({ fixture }) => {
    await using mute = await fixture(() => {}, { first_token_timeout_ms: 50 })
    await using polite = await fixture((_request, response) => response.flushHeaders(), { first_token_timeout_ms: 50 })

    for (const backend of [mute, polite]) {
      const { error } = await collect(backend.stream(requestOf(), target, never()))
      expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('did not begin') })
    }
  },
)

test.each(kinds)(
  'a server of kind $kind that hangs in the middle of an event is given up',
  async ({ fixture, stream }) => {
    const half = stream.subarray(0, stream.length / 2)
    await using backend = await fixture((_request, response) => void response.write(half), { idle_timeout_ms: 50 })

    const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

    expect(chunks.length).toBeGreaterThan(0)
    expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('fell silent') })
  },
)

test.each(kinds)('an answer of kind $kind that breaks off is never a success', async ({ fixture, stream }) => {
  const half = stream.subarray(0, stream.length / 2)
  await using backend = await fixture((_request, response) => void response.end(half))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  const ends = chunks.filter((chunk) => chunk.type === 'finish' || (chunk.type === 'usage' && !chunk.soFar))
  expect(ends).toEqual([])
  expect(error).toMatchObject({ code: 'backend_error' })
})

test('an answer without usage has none: whoever charges for it counts by itself', async () => {
  await using backend = await upstreamFixture(
    (_request, response) => void response.end(sse(delta('a')) + sse(finish()) + sse('[DONE]')),
  )

  const { chunks } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks.map(({ type }) => type)).toEqual(['text', 'finish'])
})

test('an answer that comes whole although a stream was asked for is an answer all the same', async () => {
  await using backend = await upstreamFixture(json(answer()))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
  expect(textOf(chunks)).toBe('Whole')
  expect(chunks.map(({ type }) => type)).toEqual(['text', 'finish', 'usage'])
})

test('a proxy that keeps the connection open with blanks before the answer is understood', async () => {
  await using backend = await upstreamFixture(async (_request, response) => {
    for (let i = 0; i < 5; i += 1) {
      response.write(' \n')
      await setImmediate()
    }
    response.end(JSON.stringify(answer()))
  })

  expect(textOf((await collect(backend.stream(requestOf(), target, never()))).chunks)).toBe('Whole')
})

test.each([
  ['is broken off', '{"choices":[{"message":{"content":"Half'],
  ['is a web page', '<html><body>Please log in</body></html>'],
  ['is empty', ''],
  ['has no choice', '{"choices":[]}'],
  ['has no finish reason', JSON.stringify(answer(null))],
  ['is of another API', '{"model":"llama3","message":{"content":"Hi"},"done":true}'],
])('a 200 whose body %s is a failure', async (_what, body) => {
  await using backend = await upstreamFixture((_request, response) => void response.end(body))

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toEqual([])
  expect(error).toMatchObject({ code: 'backend_error' })
})

test.each([
  [{ error: { message: 'Provider returned error', code: 429 } }, 'backend_overloaded'],
  [{ error: { message: 'No auth credentials of org-weir', code: 401 } }, 'backend_error'],
  [{ error: 'something else' }, 'backend_error'],
])('an error in the body of a 200 is one', async (body, code) => {
  await using backend = await upstreamFixture(json(body))

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code, message: expect.not.stringContaining('org-weir') })
})

test.each([301, 302, 307, 308])('a redirect (%d) is not followed, and our key goes nowhere else', async (status) => {
  let visits = 0
  await using elsewhere = await serverFixture((_request, response) => (visits++, void response.end()))
  await using backend = await upstreamFixture(
    (_request, response) => void response.writeHead(status, { location: elsewhere.url }).end(),
  )

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error' })
  expect(visits).toBe(0)
})

test.each([404, 405])('a path or a model that is not there (%d) is no fault of the request', async (status) => {
  await using backend = await upstreamFixture(json({ error: { message: 'Not found' } }, status))

  expect((await collect(backend.stream(requestOf(), target, never()))).error).toMatchObject({ code: 'backend_error' })
})

test('an error page in HTML is told by its status', async () => {
  const page = '<html><h1>502 Bad Gateway</h1><hr>nginx on internal-host</html>'
  await using backend = await upstreamFixture((_request, response) => void response.writeHead(502).end(page))

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error', cause: { message: 'HTTP 502' } })
  expect(String(error)).not.toContain('internal-host')
})

test('an error whose body never ends, or breaks off, is told by its status and its headers', async () => {
  const refusing = (then: 'hang' | 'break') =>
    upstreamFixture((_request, response) => {
      response.writeHead(429, { 'retry-after-ms': '2500', 'content-length': 1000 })
      response.write('{"error":', () => then === 'break' && response.destroy())
    })
  await using hanging = await refusing('hang')
  await using breaking = await refusing('break')

  for (const backend of [hanging, breaking]) {
    const { error } = await collect(backend.stream(requestOf(), target, never()))
    expect(error).toMatchObject({ code: 'backend_overloaded', retryAfterMs: 2_500 })
  }
})

/** A server whose answers are written by hand, down to their first line. */
async function rawFixture(written: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(written))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const backend = await upstreamFixture(() => {}, { base_url })
  return {
    ...backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      server.close()
    },
  }
}

test.each([
  [
    'headers without end',
    `HTTP/1.1 200 OK\r\nx-long: ${'a'.repeat(64 * 1024)}\r\n\r\n`,
    { code: 'UND_ERR_HEADERS_OVERFLOW' },
  ],
  ['something that is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', { name: 'HTTPParserError' }],
  [
    'a body that is shorter than it says',
    `HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n${sse(delta('Half'))}`,
    { code: 'UND_ERR_SOCKET' },
  ],
])('%s is an error of the backend', async (_what, written, cause) => {
  await using backend = await rawFixture(written)

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error', cause })
})
