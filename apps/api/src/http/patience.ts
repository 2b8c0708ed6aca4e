import type { FastifyReply } from 'fastify'

/** How long an answer is worth working on: until the client has gone, or until its time is up. */
export type Patience = Disposable & {
  /** Aborts at the end of it. */
  signal: AbortSignal
  /** Why it ended, if it has. */
  over(): 'gone' | 'late' | undefined
}

export function patienceOf(reply: FastifyReply, untilAt: number): Patience {
  const controller = new AbortController()
  let over: 'gone' | 'late' | undefined
  const end = (why: 'gone' | 'late') => {
    over ??= why
    controller.abort(new Error(`nobody waits: ${why}`))
  }
  // Closed before it was finished: the client went away, or was cut off.
  const onClose = () => !reply.raw.writableFinished && end('gone')
  reply.raw.once('close', onClose)
  // Gone while the request was being admitted: that event has passed.
  if (reply.raw.closed) onClose()
  const timer = setTimeout(end, Math.max(0, untilAt - Date.now()), 'late')

  return {
    signal: controller.signal,
    over: () => over,
    [Symbol.dispose]() {
      clearTimeout(timer)
      reply.raw.off('close', onClose)
    },
  }
}
