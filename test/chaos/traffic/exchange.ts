import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Exchange } from '../history.ts'
import { createEventReader, readAnswer } from './event-reader.ts'

export type Ask = {
  url: string
  method: string
  path: string
  headers: Record<string, string>
  body?: object | undefined
}

/** How the client behaves while it is being answered. */
export type Manner = {
  /** Goes away after so many events, or after so long. */
  leaveAfterEvents?: number | undefined
  leaveAfterMs?: number | undefined
  /** Takes a rest, in which it reads nothing, each time so many events have come. */
  rest?: { everyEvents: number; ms: number } | undefined
  /** No answer takes longer. */
  patienceMs: number
}

/** One request and all that comes back, noted in `exchange` as it comes. Never rejects: how it ended is in the note. */
export async function perform(exchange: Exchange, ask: Ask, manner: Manner, now: () => number): Promise<Exchange> {
  const over = Promise.withResolvers<void>()
  const sent = ask.body === undefined ? undefined : JSON.stringify(ask.body)
  const request = httpRequest(`${ask.url}${ask.path}`, {
    method: ask.method,
    // A connection for each: what one of them suffers says nothing about the others.
    agent: false,
    headers: { ...ask.headers, ...(sent && { 'content-type': 'application/json', 'content-length': sent.length }) },
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
  send(request, sent)
  await over.promise
  timers.forEach(clearTimeout)
  return exchange
}

function send(request: ClientRequest, body: string | undefined): void {
  request.setNoDelay(true)
  request.end(body)
}

type End = (how: NonNullable<Exchange['end']>) => void

function readWhole(exchange: Exchange, response: IncomingMessage, end: End): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (part: string) => (text += part))
  response.on('end', () => {
    if (!response.complete) return end('broken')
    understand(exchange, text, () => readAnswer(exchange, text))
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
