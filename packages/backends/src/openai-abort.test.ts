import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { OpenAiConfig, ServiceError } from '@weir/contracts'
import { createOpenAiBackend } from './openai.ts'
import { collect, never, requestOf, target, textOf } from './testing/requests.ts'
import { delta, finish, sse, upstreamFixture } from './testing/upstream.ts'

const beginning: RequestListener = (_request, response) => void response.write(sse(delta('Once')))

test('a cancelled call closes its connection to the backend', async () => {
  await using backend = await upstreamFixture(beginning)
  const connected = once(backend.server, 'request') as Promise<[IncomingMessage, ServerResponse]>
  const cancel = new AbortController()
  const reason = new ServiceError('cancelled', 'The client went away.')

  const stream = backend.stream(requestOf(), target, cancel.signal)[Symbol.asyncIterator]()
  expect((await stream.next()).value).toMatchObject({ text: 'Once' })
  const [, response] = await connected
  const closed = once(response, 'close')
  cancel.abort(reason)

  await expect(stream.next()).rejects.toBe(reason)
  await closed
})

test('a reader that stops reading closes the connection too', async () => {
  await using backend = await upstreamFixture(beginning)
  const connected = once(backend.server, 'request') as Promise<[IncomingMessage, ServerResponse]>

  for await (const _chunk of backend.stream(requestOf(), target, never())) break

  const [, response] = await connected
  if (!response.closed) await once(response, 'close')
})

test('the deadline of a request is told from the failures of a backend', async () => {
  await using backend = await upstreamFixture(beginning)

  const { error } = await collect(backend.stream(requestOf(), target, AbortSignal.timeout(100)))

  expect(error).toMatchObject({ code: 'deadline_exceeded' })
})

test('a backend that never begins its answer is given up, keep-alive comments or not', async () => {
  await using mute = await upstreamFixture(() => {}, { first_token_timeout_ms: 50 })
  await using commenting = await upstreamFixture(
    (request, response) => {
      const timer = setInterval(() => response.write(`: still thinking\n\n${sse({ choices: [] })}`), 10)
      request.socket.on('close', () => clearInterval(timer))
    },
    { first_token_timeout_ms: 50 },
  )

  for (const backend of [mute, commenting]) {
    const { error } = await collect(backend.stream(requestOf(), target, never()))
    expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('did not begin') })
  }
})

test('a backend that falls silent in the middle of its answer is given up', async () => {
  await using backend = await upstreamFixture(beginning, { idle_timeout_ms: 50 })

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toHaveLength(1)
  expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('fell silent') })
})

test('a server that keeps a finished answer open does not hold it back', async () => {
  const finishing: RequestListener = (_request, response) => void response.write(sse(delta('Once')) + sse(finish()))
  await using backend = await upstreamFixture(finishing, { idle_timeout_ms: 50 })

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
})

test.each([
  ['events', sse({ choices: [] })],
  ['comments', ': still here\n\n'],
  ['text', sse(delta('more'))],
])('a server that goes on with %s after its finish does not hold the answer back', async (_what, more) => {
  const chatting: RequestListener = (request, response) => {
    response.write(sse(delta('Once')) + sse(finish()))
    const timer = setInterval(() => response.write(more), 10)
    request.socket.on('close', () => clearInterval(timer))
  }
  await using backend = await upstreamFixture(chatting, { idle_timeout_ms: 200 })

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
  expect(textOf(chunks)).toBe('Once')
})

test('a backend is not failed for the time its reader takes', async () => {
  const lateFinish: RequestListener = (request, response) => {
    beginning(request, response)
    setTimeout(() => response.end(sse(finish())), 150)
  }
  await using backend = await upstreamFixture(lateFinish, { idle_timeout_ms: 100 })

  const stream = backend.stream(requestOf(), target, never())[Symbol.asyncIterator]()
  await stream.next()
  await new Promise((resolve) => setTimeout(resolve, 150))

  expect((await stream.next()).value).toMatchObject({ type: 'finish' })
})

test('a slow reader slows the backend down instead of filling the memory', async () => {
  const events = 1_000
  let written = 0
  function* answer() {
    for (; written < events; written += 1) yield sse(delta('a'.repeat(64 * 1024)))
  }
  await using backend = await upstreamFixture((_request, response) => void pipeline(answer, response).catch(() => {}))

  const stream = backend.stream(requestOf(), target, never())[Symbol.asyncIterator]()
  await stream.next()
  // The server writes until the sockets' buffers are full; then its count stands still.
  for (let before = -1; before !== written;) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await stream.return?.()

  expect(written).toBeLessThan(events)
})

/** A server that takes the socket but never answers the TLS handshake. */
async function muteFixture(connectTimeoutMs: number) {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const base_url = `https://127.0.0.1:${port}/v1`
  const config = OpenAiConfig.parse({ kind: 'openai', base_url, connect_timeout_ms: connectTimeoutMs })
  const backend = createOpenAiBackend('mute', config, () => undefined)
  return {
    ...backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      server.close()
    },
  }
}

test('a server that accepts no connection is given up', async () => {
  await using backend = await muteFixture(100)

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('accept a connection') })
})

test('a cancelled call does not wait for its connection', async () => {
  // Longer than a test may take.
  await using backend = await muteFixture(600_000)

  const { error } = await collect(backend.stream(requestOf(), target, AbortSignal.timeout(20)))

  expect(error).toMatchObject({ code: 'deadline_exceeded' })
})

test('a backend that is not there is an error of the backend', async () => {
  const config = OpenAiConfig.parse({ kind: 'openai', base_url: 'http://127.0.0.1:1/v1' })
  await using backend = createOpenAiBackend('nowhere', config, () => undefined)

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('could not be reached') })
})
