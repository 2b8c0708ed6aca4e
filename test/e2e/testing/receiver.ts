import { once } from 'node:events'
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { patiently } from './patiently.ts'

export type Received = { path: string; headers: IncomingHttpHeaders; body: string }

/** What a webhook tells. */
export type Told = { id: string; object: string; created_at: number; type: string; data: { id: string } }

export type Receiver = AsyncDisposable & {
  url: string
  received: Received[]
  /** How it answers from now on; by default with 204. */
  answerWith(answer: (response: ServerResponse, received: Received) => void): void
  /** The next webhook that nobody has taken yet. */
  next(path?: string): Promise<Received>
}

/** Somebody who is told of events, on this machine. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const waiting: Received[] = []
  let answer: Parameters<Receiver['answerWith']>[0] = (response) => void response.writeHead(204).end()

  const server = createServer((request, response) => {
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (part: string) => (body += part))
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body }
      received.push(one)
      waiting.push(one)
      answer(response, one)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerWith: (given) => void (answer = given),
    async next(path) {
      const at = () => waiting.findIndex((each) => path === undefined || each.path === path)
      await expect.poll(at, patiently).not.toBe(-1)
      return waiting.splice(at(), 1)[0]!
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a webhook carries, to be verified. */
export const signedOf = ({ headers, body }: Received) => ({
  body,
  headers: {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  },
})

export const toldBy = ({ body }: Received): Told => JSON.parse(body) as Told
