import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Kind, Voice } from './answer.ts'
import { anthropicVoice } from './anthropic-voice.ts'
import { type Asked, askedBy } from './asked.ts'
import { type Line, openLine } from './line.ts'
import { openaiVoice } from './openai-voice.ts'
import { type Script, scripts } from './scripts.ts'

export type MockBackend = AsyncDisposable & {
  /** Where it is reached as a backend of this kind. */
  baseUrl(kind: Kind): string
  /** Resolves once Weir has left a call with this prompt before its answer was over. */
  left(prompt: string): Promise<void>
  /** What breaks a call with this prompt off waits until the release, so that somebody has heard what came before. */
  hold(prompt: string): { release(): void }
  /** How many calls with this prompt have come. */
  callsFor(prompt: string): number
}

const voices: Record<Kind, Voice> = { openai: openaiVoice, anthropic: anthropicVoice }

/** Both kinds of a vendor in one server. The name of the model says which script it plays. */
export async function openMockBackend(): Promise<MockBackend> {
  const calls = new Map<string, number>()
  const left = new Map<string, PromiseWithResolvers<void>>()
  const leaving = (prompt: string) => {
    const known = left.get(prompt) ?? Promise.withResolvers<void>()
    left.set(prompt, known)
    return known
  }

  const held = new Map<string, PromiseWithResolvers<void>>()

  const server = createServer(async (request, response) => {
    const kind = kindOf(request)
    if (!kind) return void response.writeHead(404).end()
    const asked = askedBy(kind, await text(request))
    calls.set(asked.prompt, (calls.get(asked.prompt) ?? 0) + 1)
    response.once('close', () => {
      if (!response.writableFinished) leaving(asked.prompt).resolve()
    })
    await play(asked, response, () => held.get(asked.prompt)?.promise)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    baseUrl: (kind) => (kind === 'openai' ? `${origin}/v1` : origin),
    left: (prompt) => leaving(prompt).promise,
    hold(prompt) {
      const until = Promise.withResolvers<void>()
      held.set(prompt, until)
      return { release: until.resolve }
    },
    callsFor: (prompt) => calls.get(prompt) ?? 0,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function kindOf({ method, url = '' }: IncomingMessage): Kind | undefined {
  const path = url.split('?', 1)[0]
  if (method !== 'POST') return undefined
  if (path === '/v1/chat/completions') return 'openai'
  return path === '/v1/messages' ? 'anthropic' : undefined
}

/** A vendor that tells more about its customer, which is Weir, than anybody else may hear. */
export const VENDOR_SECRET = 'sk-vendor-0123456789abcdef'

async function play(asked: Asked, response: ServerResponse, released: Released): Promise<void> {
  const voice = voices[asked.kind]
  const status = Number(/^http-(\d{3})$/.exec(asked.model)?.[1])
  if (status) return refuse(response, status, voice.refusal(status, `Not with the key ${VENDOR_SECRET} of org-vendor.`))

  const script = scripts[asked.model]
  if (!script) return refuse(response, 404, voice.refusal(404, `The model ${asked.model} does not exist.`))
  const answer = script.answer(asked)
  if (typeof answer === 'string') return refuse(response, 400, voice.refusal(400, answer))
  const line = openLine(response, script.dress ?? 'plain')
  await tell(script, { events: voice.events(answer, asked.model), words: answer.text?.length ?? 0 }, line, released)
}

function refuse(response: ServerResponse, status: number, body: object): void {
  const retry = status === 429 || status === 529 ? { 'retry-after': '2' } : {}
  response.writeHead(status, { 'content-type': 'application/json', ...retry }).end(JSON.stringify(body))
}

type Told = { events: string[]; words: number }
type Released = () => Promise<void> | undefined

async function tell({ fate }: Script, { events, words }: Told, line: Line, released: Released): Promise<void> {
  // An event or two before the first word, a few words, and not the end.
  const beginning = events.slice(0, Math.min(events.length - 4, 2 + words))
  switch (fate) {
    case 'silent':
      return
    case 'torn first':
      return line.tear()
    case 'silent midway':
      return void (await line.send(beginning))
    case 'torn':
      await line.send(beginning)
      await released()
      return line.tear()
    case 'unfinished':
      await line.send(beginning)
      await released()
      return line.end()
    case 'without its last event':
      await line.send(events.slice(0, -1))
      return line.end()
    case 'slow':
      return tellSlowly(events, line)
    case undefined:
      await line.send(events)
      return line.end()
  }
}

/** The same words again and again, until nobody listens: an answer that does not end by itself. */
async function tellSlowly(events: string[], line: Line): Promise<void> {
  const word = events.findIndex((event) => event.includes('You'))
  await line.send(events.slice(0, word))
  while (await line.send([events[word] ?? ''])) await line.pause(20)
}
