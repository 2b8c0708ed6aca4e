// A stand-in for a model server that speaks the OpenAI dialect, as cheap as Node makes it: answers are rendered once, at
// start, and a request costs one look for "stream":true. Without a delay between tokens a stream is one write. Alone, it
// is run as `PORT=8000 TOKENS=32 FIRST_TOKEN_MS=200 TOKEN_MS=20 node test/bench/mock-model-server.ts`.
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { announce } from './announce.ts'
import { plainAnswer, streamedAnswer } from './mock-answer.ts'

const { PORT = '0', TOKENS = '32', FIRST_TOKEN_MS = '0', TOKEN_MS = '0' } = process.env
const tokens = Number(TOKENS)
const firstTokenMs = Number(FIRST_TOKEN_MS)
const tokenMs = Number(TOKEN_MS)

const plain = plainAnswer(tokens)
const { opening, token, ending } = streamedAnswer(tokens)
const whole = Buffer.concat([opening, ...Array<Buffer>(tokens).fill(token), ending])
const plainHeaders = { 'content-type': 'application/json', 'content-length': plain.length }
const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => void answer(wantsStream(parts), response))
})
// A client may hold its connections from one measurement to the next.
server.keepAliveTimeout = 120_000
announce(server, Number(PORT))

const wantsStream = (parts: Buffer[]): boolean => parts.some((part) => part.includes('"stream":true'))

async function answer(stream: boolean, response: ServerResponse): Promise<void> {
  if (firstTokenMs > 0) await sleep(firstTokenMs)
  if (!stream) {
    // A plain call waits for the last token, as with a real model.
    if (tokenMs > 0) await sleep(tokenMs * (tokens - 1))
    response.writeHead(200, plainHeaders).end(plain)
  } else if (tokenMs === 0) {
    response.writeHead(200, streamHeaders).end(whole)
  } else {
    await tokenByToken(response)
  }
}

async function tokenByToken(response: ServerResponse): Promise<void> {
  response.writeHead(200, streamHeaders).write(opening)
  for (let sent = 0; sent < tokens && !response.destroyed; sent++) {
    if (sent > 0) await sleep(tokenMs)
    response.write(token)
  }
  response.end(ending)
}
