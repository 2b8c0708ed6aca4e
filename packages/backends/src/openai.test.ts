import type { RequestListener } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import type { Chunk } from '@weir/contracts'
import { collect, never, requestOf, target, textOf } from './testing/requests.ts'
import { bodyOf, delta, finish, sending, sse, upstreamFixture, usage } from './testing/upstream.ts'

const stopped: Chunk = { type: 'finish', choice: 0, reason: 'stop' }
const reported = (inputTokens: number, cachedInputTokens: number, outputTokens: number): Chunk => ({
  type: 'usage',
  usage: { inputTokens, cachedInputTokens, outputTokens, source: 'reported' },
})

test('an answer is its text, its finish and its usage, with cached input counted apart', async () => {
  await using backend = await upstreamFixture(
    sending(delta('Water'), delta(' erodes'), finish(), usage(9, 2, 4), '[DONE]'),
  )

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
  expect(chunks).toEqual([
    { type: 'text', choice: 0, text: 'Water' },
    { type: 'text', choice: 0, text: ' erodes' },
    stopped,
    reported(5, 4, 2),
  ])
})

test('a backend is asked to stream, with usage, under the name it knows the model by', async () => {
  let seen: Record<string, unknown> = {}
  let path: string | undefined
  let authorization: string | undefined
  await using backend = await upstreamFixture(async (request, response) => {
    path = request.url
    authorization = request.headers.authorization
    seen = await bodyOf(request)
    response.end(sse(finish()))
  })

  await collect(backend.stream(requestOf({ temperature: 0.5, stop: ['END'] }), target, never()))

  expect({ path, authorization }).toEqual({ path: '/v1/chat/completions', authorization: 'Bearer sk-secret' })
  expect(seen).toEqual({
    model: 'small',
    messages: [{ role: 'user', content: 'Why do rivers bend?' }],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 100,
    temperature: 0.5,
    stop: ['END'],
  })
})

test('a character that arrives in single bytes, after comments and with CRLF, is read whole', async () => {
  await using backend = await upstreamFixture(async (_request, response) => {
    const stream = `: ping\r\n\r\nevent: message\r\n${sse(delta('río 🏞️')).trimEnd()}\r\n\r\n${sse(finish())}data: [DONE]\n\n`
    for (const byte of Buffer.from(stream)) {
      response.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    response.end()
  })

  const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toBeUndefined()
  expect(textOf(chunks)).toBe('río 🏞️')
})

test('usage in the chunk of the finish counts as well, and of several usages the last', async () => {
  const withFinish = { ...finish('length'), usage: { prompt_tokens: 5, completion_tokens: 2 } }
  await using backend = await upstreamFixture(
    sending(
      { ...delta('a'), usage: { prompt_tokens: 5, completion_tokens: 1 } },
      { ...delta('b'), usage: null },
      withFinish,
    ),
  )

  const { chunks } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks[1]).toEqual({ ...reported(5, 0, 1), soFar: true })
  expect(chunks.slice(3)).toEqual([{ ...stopped, reason: 'length' }, reported(5, 0, 2)])
})

test.each([
  ['negative', usage(-1, 5)],
  ['more cached than there was', usage(5, 5, 6)],
  ['a fraction', usage(1.5, 5)],
])('usage that cannot be (%s) is taken for none', async (_what, impossible) => {
  await using backend = await upstreamFixture(sending(delta('a'), finish(), impossible, '[DONE]'))

  const { chunks } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks.at(-1)).toEqual(stopped)
})

test('a finish reason that is not known here, or comes twice, ends the text once as a stop', async () => {
  await using backend = await upstreamFixture(
    sending(delta('a'), finish('eos'), delta('b'), finish('length'), '[DONE]'),
  )

  const { chunks } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toEqual([{ type: 'text', choice: 0, text: 'a' }, stopped])
})

test('of several choices in one event the first one counts, wherever it stands', async () => {
  const other = { index: 1, delta: { content: 'Other' }, finish_reason: 'length' }
  const ours = [...delta('Ours').choices, ...finish().choices]
  await using backend = await upstreamFixture(
    sending({ choices: [other, ours[0]] }, { choices: [other] }, { choices: [other, ours[1]] }, '[DONE]'),
  )

  const { chunks } = await collect(backend.stream(requestOf(), target, never()))

  expect(chunks).toEqual([{ type: 'text', choice: 0, text: 'Ours' }, stopped])
})

test('an answer that ends without a finish reason has failed, even after [DONE]', async () => {
  await using silent = await upstreamFixture(sending(delta('Half')))
  await using done = await upstreamFixture(sending(delta('Half'), '[DONE]'))

  for (const backend of [silent, done]) {
    const { chunks, error } = await collect(backend.stream(requestOf(), target, never()))
    expect(textOf(chunks)).toBe('Half')
    expect(error).toMatchObject({ code: 'backend_error', message: expect.stringContaining('before it was finished') })
  }
})

test('a connection that breaks in the middle of an answer is a failure, and after its finish is its end', async () => {
  const breakingOff = (...events: object[]) =>
    upstreamFixture((_request, response) => {
      for (const event of events.slice(0, -1)) response.write(sse(event))
      response.write(sse(events.at(-1)!), () => response.destroy())
    })
  await using middle = await breakingOff(delta('Half'))
  await using end = await breakingOff(delta('Whole'), finish())

  expect((await collect(middle.stream(requestOf(), target, never()))).error).toMatchObject({ code: 'backend_error' })
  expect((await collect(end.stream(requestOf(), target, never()))).error).toBeUndefined()
})

test('an error within the stream ends the answer, and nothing after it is read', async () => {
  const error = { error: { message: 'CUDA out of memory on gpu-7', type: 'server_error' } }
  await using backend = await upstreamFixture(sending(delta('Half'), error, delta(' more'), finish(), '[DONE]'))

  const result = await collect(backend.stream(requestOf(), target, never()))

  expect(textOf(result.chunks)).toBe('Half')
  expect(result.error).toMatchObject({ code: 'backend_error', message: expect.not.stringContaining('CUDA') })
})

test('an overload told within the stream is an overload', async () => {
  await using backend = await upstreamFixture(sending({ error: { message: 'slow down', code: 429 } }))

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_overloaded', retryAfterMs: expect.any(Number) })
})

test('an event that never ends is cut off at four million characters', async () => {
  function* endless() {
    yield 'data: {"choices":"'
    for (;;) yield 'a'.repeat(1024 * 1024)
  }
  await using backend = await upstreamFixture((_request, response) => void pipeline(endless, response).catch(() => {}))

  const { error } = await collect(backend.stream(requestOf(), target, never()))

  expect(error).toMatchObject({ code: 'backend_error' })
  expect(String((error as Error).cause)).toContain('max buffer size')
})

test('a second call uses the connection of the first, though it took a moment to end', async () => {
  const sockets = new Set<unknown>()
  const answering: RequestListener = (request, response) => {
    sockets.add(request.socket)
    response.write(sse(delta('a')) + sse(finish()) + sse('[DONE]'))
    setTimeout(() => response.end(), 20)
  }
  // With one connection at most, the second call waits until the first has given it back or closed it.
  await using backend = await upstreamFixture(answering, { slots: 1 })

  await collect(backend.stream(requestOf(), target, never()))
  await collect(backend.stream(requestOf(), target, never()))

  expect(sockets.size).toBe(1)
})
