import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One call that Weir makes to the model server. The test decides what is answered, and when. */
export type UpstreamCall = {
  /** The text of the last message. */
  prompt: string
  /** Adds to the answer; false when the connection takes no more for now. */
  say(text: string): boolean
  /** Writes bytes as they are. */
  send(bytes: Uint8Array): void
  /** Ends the answer as a whole one that used so many tokens. */
  finish(usage?: { prompt: number; completion: number }): void
  /** Resolves when the connection can take more, or is gone. */
  ready(): Promise<void>
  /** Resolves when Weir has closed the connection before the answer was finished. */
  closed: Promise<void>
}

export type Upstream = AsyncDisposable & {
  baseUrl: string
  /** The next call that nobody has taken, however long it takes to come. */
  nextCall(): Promise<UpstreamCall>
}

/** A model server of the test's own, speaking the OpenAI dialect. `play` answers each call; else `nextCall` hands them out. */
export async function openUpstream(play?: (call: UpstreamCall) => void): Promise<Upstream> {
  const calls: UpstreamCall[] = []
  const takers: ((call: UpstreamCall) => void)[] = []
  const handOut = (call: UpstreamCall) => {
    const taker = takers.shift()
    if (taker) taker(call)
    else calls.push(call)
  }

  const server = createServer(async (request, response) => (play ?? handOut)(await callOf(request, response)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    nextCall: () => {
      const call = calls.shift()
      return call ? Promise.resolve(call) : new Promise((resolve) => takers.push(resolve))
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function callOf(request: IncomingMessage, response: ServerResponse): Promise<UpstreamCall> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.socket?.setNoDelay(true)
  const closed = new Promise<void>((resolve) => {
    response.once('close', () => {
      if (!response.writableFinished) resolve()
    })
  })
  let body = ''
  for await (const part of request.setEncoding('utf8')) body += part
  const { messages } = JSON.parse(body) as { messages: { content: string }[] }

  return {
    prompt: messages.at(-1)?.content ?? '',
    say: (text) => response.write(eventOf({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })),
    send: (bytes) => void response.write(bytes),
    finish({ prompt, completion } = { prompt: 1, completion: 1 }) {
      response.write(eventOf({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }))
      response.write(eventOf({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion } }))
      response.end('data: [DONE]\n\n')
    },
    async ready() {
      if (response.writableNeedDrain) await Promise.race([once(response, 'drain'), closed])
    },
    closed,
  }
}

/** One event, as it travels. */
export const eventOf = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
