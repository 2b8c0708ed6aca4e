import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** What a sender that is given time must bring meanwhile: about nine kilobits a second, where that is a minute. */
const PROGRESS_BYTES = 65_536

type Watch = { untilWhole(): void; whileItComes(stallMs: number): void }

const watches = new WeakMap<IncomingMessage, Watch>()

/**
 * Cuts off whoever has not sent the whole of a request within `wholeMs`, as Node's own limit does, which knows no exceptions:
 * those that are given time have to make progress.
 */
export function cutOffSlowSenders(app: FastifyInstance, wholeMs: number): void {
  // Before Fastify, which may refuse a request before any hook runs.
  app.server.prependListener('request', (request, response) => {
    if (!mayHaveBody(request)) return
    const cut = () => cutOff(app, request, response)
    const watch = watchOf(request, wholeMs, cut)
    watches.set(request, watch)
    watch.untilWhole()
  })
}

/** Gives a request as long as it needs, while it brings something in every `stallMs`; the usual time once disposed. */
export function givingTime(request: IncomingMessage, stallMs: number): Disposable {
  const watch = watches.get(request)
  watch?.whileItComes(stallMs)
  return { [Symbol.dispose]: () => watch?.untilWhole() }
}

const mayHaveBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function watchOf(request: IncomingMessage, wholeMs: number, cut: () => void): Watch {
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearTimeout(timer)
  request.once('end', stop).once('close', stop)
  const after = (ms: number, act: () => void) => {
    stop()
    if (!request.readableEnded && !request.destroyed) timer = setTimeout(act, ms)
  }
  function whileItComes(stallMs: number): void {
    const { bytesRead } = request.socket
    after(stallMs, () => (request.socket.bytesRead - bytesRead < PROGRESS_BYTES ? cut() : whileItComes(stallMs)))
  }
  return { untilWhole: () => after(wholeMs, cut), whileItComes }
}

/** Answers as Node's limit does; who has its answer already, and sends on, is told nothing more. */
function cutOff({ server }: FastifyInstance, { socket }: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) socket.destroy()
  else server.emit('clientError', Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket)
}
