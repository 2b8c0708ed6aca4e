import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'
import { residentBytes } from './testing/resident-bytes.ts'

/** May write more than any reader's buffers hold. */
const talkative = {
  max_output_tokens: 1_000_000,
  context_window: 2_000_000,
  price: { input: 1, output: 2, per: 1_000_000 },
}

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }, { upstream: talkative }),
    apiEnv: { WEIR_STREAM_BUFFER_BYTES: '16384' },
    workerEnv: { WEIR_FRAME_BYTES: '32768' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

test('a reader that rests while a long stream is made gets all of it in order afterwards', async () => {
  const { apiKey, charges } = await customerOf(weir)
  const reader = await openStream(weir.url, apiKey)
  await reader.headers
  const text = await sayMuch(await upstream.nextCall(), 16 * megabyte)

  // The completion has ended while its reader has taken next to nothing.
  await expect.poll(() => charges(), patiently).toHaveLength(1)
  const { content, ends } = await reader.rest()

  expect(content.length).toBe(text.length)
  expect(content === text).toBe(true)
  expect(ends).toBe(true)
  expect(weir.apis[0]!.logs().join()).not.toContain('MaxListenersExceededWarning')
})

test('what readers have not yet taken does not pile up in the API', async () => {
  const { apiKey, charges } = await customerOf(weir)
  const readers = await Promise.all(Array.from({ length: 4 }, () => openStream(weir.url, apiKey)))
  await Promise.all(readers.map(({ headers }) => headers))
  const calls = await Promise.all(readers.map(() => upstream.nextCall()))
  const before = await residentBytes(weir.apis[0]!.pid)

  const texts = await Promise.all(calls.map((call) => sayMuch(call, 24 * megabyte)))
  await expect.poll(() => charges(), patiently).toHaveLength(4)

  // Held in memory, what was said would take more than this; what garbage there is takes far less.
  expect((await residentBytes(weir.apis[0]!.pid)) - before).toBeLessThan(96 * megabyte)
  const contents = await Promise.all(readers.map(({ rest }) => rest()))
  expect(contents.map(({ content }, n) => content === texts[n])).toEqual([true, true, true, true])
})

test('a reader that takes nothing for too long is cut off, and its completion is ended at the backend', async () => {
  const api = await weir.startApi({ WEIR_STREAM_STALL_MS: '300', WEIR_DISCONNECT_GRACE_MS: '50' })
  const { apiKey, credits, charges } = await customerOf(weir)
  const reader = await openStream(`http://127.0.0.1:${api.port}`, apiKey)
  await reader.headers
  const call = await upstream.nextCall()

  await sayUntilClosed(call)

  const { content, ends } = await reader.rest()
  expect(content).toMatch(/^x+$/)
  expect(ends).toBe(false)
  await expect.poll(async () => (await credits()).reserved, patiently).toBe(0)
  expect(await charges()).toHaveLength(1)
})

const megabyte = 1024 * 1024

/** Says numbered lines, so that a hole or a swap would show, as fast as they are taken; the whole text. */
async function sayMuch(call: UpstreamCall, bytes: number): Promise<string> {
  const lines: string[] = []
  for (let n = 0, said = 0; said < bytes; n += 1) {
    const line = `${n} ${'x'.repeat(32_000)}\n`
    lines.push(line)
    said += line.length
    if (!call.say(line)) await call.ready()
  }
  call.finish()
  return lines.join('')
}

async function sayUntilClosed(call: UpstreamCall): Promise<void> {
  let closed = false
  void call.closed.then(() => (closed = true))
  while (!closed) if (!call.say('x'.repeat(32_000))) await call.ready()
}

/** Asks for a stream on a bare socket, and reads no more of it than its headers until told to. */
async function openStream(url: string, apiKey: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const body = JSON.stringify({ ...asking('upstream'), stream: true })
  socket.write(
    [
      'POST /v1/chat/completions HTTP/1.1',
      `Host: ${hostname}`,
      `Authorization: Bearer ${apiKey}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  const parts: Buffer[] = []
  const headers = once(socket, 'data').then(([part]) => {
    socket.pause()
    parts.push(part as Buffer)
  })
  return { headers, rest: () => readRest(socket, parts) }
}

async function readRest(socket: Socket, parts: Buffer[]): Promise<{ content: string; ends: boolean }> {
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {})
  socket.resume()
  await closed
  const text = Buffer.concat(parts).toString()
  const events = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!))
  const deltas = events.map(({ choices }) => choices?.[0]?.delta?.content ?? '')
  return { content: deltas.join(''), ends: text.includes('data: [DONE]\n\n') }
}
