import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AnthropicConfig, OpenAiConfig } from '@weir/contracts'
import { createAnthropicBackend } from '../anthropic.ts'
import type { Backend } from '../backend.ts'
import { createOpenAiBackend } from '../openai.ts'

export type UpstreamCall = { request: IncomingMessage; response: ServerResponse }

/** A backend of kind `openai` whose model is played by a handler on a real server. */
export async function upstreamFixture(handle: RequestListener, settings: Partial<OpenAiConfig> = {}) {
  const server = await serverFixture(handle)
  const config = OpenAiConfig.parse({ kind: 'openai', base_url: `${server.url}/v1/`, api_key_env: 'KEY', ...settings })
  return serving(server, createOpenAiBackend('upstream', config, secretOf))
}

/** The same of kind `anthropic`. */
export async function anthropicFixture(handle: RequestListener, settings: Partial<AnthropicConfig> = {}) {
  const server = await serverFixture(handle)
  const config = AnthropicConfig.parse({ kind: 'anthropic', base_url: server.url, api_key_env: 'KEY', ...settings })
  return serving(server, createAnthropicBackend('upstream', config, secretOf))
}

const secretOf = (name: string) => (name === 'KEY' ? 'sk-secret' : undefined)

export async function serverFixture(handle: RequestListener) {
  const server = createServer({ noDelay: true }, handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const serving = ({ server, ...upstream }: Awaited<ReturnType<typeof serverFixture>>, backend: Backend) => ({
  ...backend,
  server,
  async [Symbol.asyncDispose]() {
    await backend[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  },
})

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

/** Events as the other vendor sends them: each under its name. */
export const named = (...events: ({ type: string } & Record<string, unknown>)[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
