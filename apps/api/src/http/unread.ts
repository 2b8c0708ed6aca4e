import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** What fits into the buffers of a socket is gone from ours at once. */
const LARGE_BYTES = 65_536

/** Cuts the connection when an ended answer has not been taken within `stallMs`: it would hold its memory for ever. */
export function cutOffUnread(raw: ServerResponse, stallMs: number): void {
  if (raw.writableFinished || raw.destroyed) return
  const timer = setTimeout(() => raw.destroy(), stallMs)
  raw.once('close', () => clearTimeout(timer))
}

/** The same for answers that are sent in one piece, where they are large. */
export function cutOffUnreadAnswers(app: FastifyInstance, stallMs: number): void {
  app.addHook('onSend', async (_, reply, payload) => {
    if (typeof payload === 'string' && payload.length > LARGE_BYTES) cutOffUnread(reply.raw, stallMs)
    return payload
  })
}
