import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BackendConfig } from '@weir/contracts'
import { createOpenAiBackend, type OpenAiConfig } from '../openai.ts'

export type UpstreamCall = { request: IncomingMessage; response: ServerResponse }

/** A backend whose model is played by a handler on a real server. */
export async function upstreamFixture(handle: RequestListener, settings: Partial<OpenAiConfig> = {}) {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const config = BackendConfig.parse({ kind: 'openai', base_url: `http://127.0.0.1:${port}/v1/`, ...settings })
  const backend = createOpenAiBackend('upstream', config as OpenAiConfig, 'sk-secret')
  return {
    ...backend,
    server,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}

export async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const part of request) text += part
  return JSON.parse(text)
}

/** A model that sends these events and ends the connection. */
export const sending =
  (...events: (object | string)[]): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) response.write(sse(event))
    response.end()
  }

export const sse = (event: object | string): string =>
  `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`

export const delta = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })

export const finish = (reason = 'stop') => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })

export const usage = (prompt: number, completion: number, cached?: number) => ({
  choices: [],
  usage: {
    prompt_tokens: prompt,
    completion_tokens: completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
  },
})
