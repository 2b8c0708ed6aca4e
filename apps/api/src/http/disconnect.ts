import type { FastifyReply } from 'fastify'

/** Aborts when the client has gone before its answer was complete. */
export function disconnectOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client has gone'))
  })
  return controller.signal
}
