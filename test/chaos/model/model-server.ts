import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventOf } from '../../e2e/testing/upstream.ts'
import { promptTokensOf, type Script, scriptOf, wordOf } from './words.ts'

/** What the model did for one request. */
export type Production = {
  token: string
  /** Counts the requests for this token, from 1. */
  attempt: number
  /** Words that were written before the connection was closed, and what was told of them. */
  words: number
  reported: { input: number; output: number } | undefined
  end: 'running' | 'finished' | 'closed' | 'cut' | 'refused'
  startedAt: number
  endedAt: number | undefined
}

export type ModelServer = AsyncDisposable & {
  baseUrl: string
  /** Every request so far, in order. */
  productions: readonly Production[]
}

/** The only backend there is: it speaks the OpenAI dialect, does what the prompts say, and keeps account of it. */
export async function openModelServer(now: () => number): Promise<ModelServer> {
  const productions: Production[] = []
  const attempts = new Map<string, number>()

  function begin({ token }: Script): Production {
    const attempt = (attempts.get(token) ?? 0) + 1
    attempts.set(token, attempt)
    const begun = { token, attempt, words: 0, reported: undefined, startedAt: now(), endedAt: undefined }
    const production: Production = { ...begun, end: 'running' }
    productions.push(production)
    return production
  }

  const server = createServer(async (request, response) => {
    response.on('error', () => {})
    const script = await scriptIn(request).catch(() => undefined)
    // Whoever asked may have been killed in the middle of its question.
    if (!script) return void response.destroy()
    const production = begin(script)
    try {
      production.end = await perform(script, production, response)
    } finally {
      production.endedAt = now()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    productions,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function scriptIn(request: IncomingMessage): Promise<Script> {
  let body = ''
  for await (const part of request.setEncoding('utf8')) body += part
  const { messages } = JSON.parse(body) as { messages: { content: string }[] }
  return scriptOf(messages[0]!.content)
}

async function perform(
  script: Script,
  production: Production,
  response: ServerResponse,
): Promise<Exclude<Production['end'], 'running'>> {
  const fails = script.fails[production.attempt - 1]
  await sleep(script.firstMs)
  if (response.destroyed) return 'closed'
  if (fails === 'refuse') {
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"refused by the script"}}')
    return 'refused'
  }

  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.socket?.setNoDelay(true)
  const last = fails === 'cut' ? Math.ceil(script.words / 2) : script.words
  for (let n = 1; n <= last; n++) {
    if (n > 1 && script.everyMs > 0) await sleep(script.everyMs)
    if (response.destroyed) return 'closed'
    production.words = n
    const content = wordOf(script, production.attempt, n)
    const isTaken = response.write(eventOf({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
    if (!isTaken) await drained(response)
  }
  if (response.destroyed) return 'closed'
  if (fails === 'cut') {
    response.destroy()
    return 'cut'
  }
  finish(script, production, response)
  return 'finished'
}

function finish(script: Script, production: Production, response: ServerResponse): void {
  const reason = script.end === 'length' ? 'length' : 'stop'
  response.write(eventOf({ choices: [{ index: 0, delta: {}, finish_reason: reason }] }))
  if (script.end !== 'silent') {
    const reported = { input: promptTokensOf(production.attempt), output: production.words }
    production.reported = reported
    const usage = { prompt_tokens: reported.input, completion_tokens: reported.output }
    response.write(eventOf({ choices: [], usage }))
  }
  response.end('data: [DONE]\n\n')
}

async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController()
  await Promise.race([once(response, 'drain', over), once(response, 'close', over)]).catch(() => {})
  over.abort()
}
