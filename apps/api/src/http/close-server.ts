import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const IDLE_CHECK_MS = 100

/**
 * Returns what closes the server: it stops accepting and waits until the answers under way have ended, at most `graceMs`;
 * then their connections are cut, and the clients see it. A connection with nothing under way is closed at once, however
 * long its client would keep it.
 */
export function closerOf(app: FastifyInstance): (graceMs: number) => Promise<void> {
  const { server } = app
  // Node does not count a connection that has never asked for anything as idle, and while closing gives it no timeout.
  const silent = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  server.on('request', ({ socket }) => silent.delete(socket))

  return async (graceMs) => {
    const idle = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of silent) socket.destroy()
    }, IDLE_CHECK_MS)
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    await app.close()
    clearInterval(idle)
    clearTimeout(cut)
  }
}
