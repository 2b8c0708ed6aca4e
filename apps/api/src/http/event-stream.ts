import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { cutOffUnread } from './unread.ts'

export type EventStream = {
  /** Writes and, when the reader is behind, waits until it has caught up. Rejects when the reader is gone. */
  send(text: string): Promise<void> | undefined
  end(): void
}

export type EventStreamLimits = {
  /** A comment is sent when nothing else was for so long, so that no proxy or client takes the stream for dead. */
  keepAliveMs: number
  /** A reader that accepts nothing for so long is cut off. */
  stallMs: number
}

/**
 * Takes the reply over as server-sent events; the headers leave at once. Keep-alives are comments: every client ignores
 * them, while an event without data breaks some.
 */
export function openEventStream(reply: FastifyReply, limits: EventStreamLimits): EventStream {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()

  let quiet = true
  const keepAlive = setInterval(() => {
    if (quiet && !raw.writableNeedDrain) raw.write(': keep-alive\n\n')
    quiet = true
  }, limits.keepAliveMs)
  raw.once('close', () => clearInterval(keepAlive))

  async function drained() {
    const waiting = new AbortController()
    const stalled = setTimeout(() => raw.destroy(), limits.stallMs)
    try {
      await Promise.race([once(raw, 'drain', waiting), once(raw, 'close', waiting)])
    } finally {
      clearTimeout(stalled)
      // A slow reader waits many times, and each wait would leave a listener behind.
      waiting.abort()
    }
  }

  return {
    send(text) {
      quiet = false
      if (raw.destroyed) return undefined
      return raw.write(text) ? undefined : drained()
    },
    end() {
      clearInterval(keepAlive)
      raw.end()
      cutOffUnread(raw, limits.stallMs)
    },
  }
}
