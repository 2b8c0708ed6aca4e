import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * Serves for `delayMs` more, in which balancers notice, then accepts no new connection and waits until the answers under way
 * have ended, at most `graceMs` in all; what does not end at the last call is cut.
 */
export type Close = (limits: { delayMs: number; graceMs: number }) => Promise<void>

const IDLE_CHECK_MS = 100

/** To say a last word and have it taken. */
const LAST_WORD_MS = 1_000

/**
 * Returns what closes the server without losing an answer. From its start every answer says `connection: close`, so that
 * clients which keep their connections leave by themselves; one with nothing under way is closed once the delay is over.
 * `onLastCall` is called when the grace is over: whoever is still answering says so to the client and ends.
 */
export function closerOf(app: FastifyInstance, onLastCall: () => void): Close {
  const { server } = app
  let leaving = false
  // Node does not count a connection that has never asked for anything as idle, and while closing gives it no timeout.
  const silent = new Set<Socket>()
  const underWay = new Set<ServerResponse>()
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  // Before Fastify, which may answer at once.
  server.prependListener('request', ({ socket }, response) => {
    silent.delete(socket)
    if (leaving) response.setHeader('connection', 'close')
    underWay.add(response)
    response.once('close', () => underWay.delete(response))
  })

  return async ({ delayMs, graceMs }) => {
    leaving = true
    for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close')
    const lastCall = setTimeout(onLastCall, graceMs)
    const cut = setTimeout(() => server.closeAllConnections(), graceMs + LAST_WORD_MS)
    await sleep(Math.min(delayMs, graceMs))
    const idle = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of silent) socket.destroy()
    }, IDLE_CHECK_MS)
    await app.close()
    clearInterval(idle)
    clearTimeout(lastCall)
    clearTimeout(cut)
  }
}
