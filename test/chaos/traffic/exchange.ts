import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { formType } from '../../e2e/testing/uploads.ts'
import type { Exchange } from '../history.ts'
import { createEventReader, readAnswer } from './event-reader.ts'

export type Ask = {
  url: string
  method: string
  path: string
  headers: Record<string, string>
  body?: object | undefined
  form?: Buffer | undefined
}

/** How the client behaves while it is being answered. */
export type Manner = {
  /** Goes away after so many events, or after so long. */
  leaveAfterEvents?: number | undefined
  leaveAfterMs?: number | undefined
  /** Sends no more than so much of what it has to say, and goes away. */
  leaveAfterBytes?: number | undefined
  /** Takes a rest, in which it reads nothing, each time so many events have come. */
  rest?: { everyEvents: number; ms: number } | undefined
  /** No answer takes longer. */
  patienceMs: number
}

/** One request and all that comes back, noted in `exchange` as it comes. Never rejects: how it ended is in the note. */
export async function perform(exchange: Exchange, ask: Ask, manner: Manner, now: () => number): Promise<Exchange> {
  const over = Promise.withResolvers<void>()
  const sent = ask.form ?? (ask.body && Buffer.from(JSON.stringify(ask.body)))
  const type = ask.form ? formType : 'application/json'
  const request = httpRequest(`${ask.url}${ask.path}`, {
    method: ask.method,
    // A connection for each: what one of them suffers says nothing about the others.
    agent: false,
    headers: { ...ask.headers, ...(sent && { 'content-type': type, 'content-length': sent.length }) },
  })
  const end = (how: NonNullable<Exchange['end']>) => {
    if (exchange.end !== undefined) return
    exchange.end = how
    exchange.endedAt = now()
    request.destroy()
    over.resolve()
  }
  const timers = [setTimeout(end, manner.patienceMs, 'gave_up')]
  if (manner.leaveAfterMs !== undefined) timers.push(setTimeout(end, manner.leaveAfterMs, 'left'))

  request.on('error', () => end('broken'))
  request.on('close', () => end('broken'))
  request.on('response', (response) => {
    exchange.status = response.statusCode
    for (const name of ['location', 'idempotent-replayed', 'retry-after', 'x-request-id', 'x-should-retry'])
      exchange.headers[name] = response.headers[name] as string | undefined
    exchange.completionId = response.headers['x-weir-completion-id'] as string | undefined
    response.on('error', () => end('broken'))
    const isStream = response.headers['content-type']?.startsWith('text/event-stream')
    if (isStream) readStream(exchange, response, manner, end)
    else readWhole(exchange, response, end)
  })
  send(request, sent, manner, end)
  await over.promise
  timers.forEach(clearTimeout)
  return exchange
}

type End = (how: NonNullable<Exchange['end']>) => void

function send(request: ClientRequest, body: Buffer | undefined, { leaveAfterBytes }: Manner, end: End): void {
  request.setNoDelay(true)
  if (leaveAfterBytes === undefined) request.end(body)
  else request.write(body?.subarray(0, leaveAfterBytes), () => end('left'))
}

function readWhole(exchange: Exchange, response: IncomingMessage, end: End): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (part: string) => (text += part))
  response.on('end', () => {
    if (!response.complete) return end('broken')
    const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '')
    if (isJson) understand(exchange, text, () => readAnswer(exchange, text))
    else exchange.content = text
    end(response.statusCode! >= 400 ? 'refused' : 'answered')
  })
}

function readStream(exchange: Exchange, response: IncomingMessage, manner: Manner, end: End): void {
  const reader = createEventReader(exchange)
  const { leaveAfterEvents = Infinity, rest } = manner
  let restsAt = rest ? rest.everyEvents : Infinity
  response.setEncoding('utf8')
  response.on('data', (part: string) => {
    // One who has left has seen no more.
    if (exchange.end !== undefined) return
    understand(exchange, part, () => reader.feed(part))
    const seen = exchange.eventIds.length
    if (exchange.error) return end('error_event')
    if (reader.done()) return end('done')
    if (seen >= leaveAfterEvents) return end('left')
    if (rest && seen >= restsAt) {
      restsAt = seen + rest.everyEvents
      response.pause()
      setTimeout(() => response.resume(), rest.ms)
    }
  })
  response.on('end', () => end(response.complete ? 'ended_mute' : 'broken'))
}

/** What no client could read is noted as an error of its own. */
function understand(exchange: Exchange, text: string, read: () => void): void {
  try {
    read()
  } catch (error) {
    const message = `${(error as Error).message} in ${text.slice(0, 200)}`
    exchange.error = { code: 'unreadable', message, completionId: undefined }
  }
}
