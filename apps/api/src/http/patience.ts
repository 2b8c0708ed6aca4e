import type { FastifyReply } from 'fastify'

/** The client has gone, its time is up, or this replica stops. */
export type WhyOver = 'gone' | 'late' | 'stopping'

/** How long an answer is worth working on: until the client has gone, its time is up or, with `lastCall`, this replica stops. */
export type Patience = Disposable & {
  /** Aborts at the end of it. */
  signal: AbortSignal
  /** Why it ended, if it has. */
  over(): WhyOver | undefined
}

/**
 * Where `hasEnded` says so when the time is up, what is left is to be delivered, and a reader may take its time.
 */
export function patienceOf(
  reply: FastifyReply,
  untilAt: number,
  lastCall?: AbortSignal,
  hasEnded: () => Promise<boolean> = async () => false,
): Patience {
  const controller = new AbortController()
  let over: WhyOver | undefined
  const end = (why: WhyOver) => {
    over ??= why
    controller.abort(new Error(`nobody waits: ${why}`))
  }
  // Closed before it was finished: the client went away, or was cut off.
  const onClose = () => !reply.raw.writableFinished && end('gone')
  reply.raw.once('close', onClose)
  // Gone while the request was being admitted: that event has passed.
  if (reply.raw.closed) onClose()
  const timeIsUp = async () => (await hasEnded().catch(() => false)) || end('late')
  const timer = setTimeout(timeIsUp, Math.max(0, untilAt - Date.now()))
  const onLastCall = () => end('stopping')
  lastCall?.addEventListener('abort', onLastCall, { once: true })
  if (lastCall?.aborted) onLastCall()

  return {
    signal: controller.signal,
    over: () => over,
    [Symbol.dispose]() {
      clearTimeout(timer)
      reply.raw.off('close', onClose)
      lastCall?.removeEventListener('abort', onLastCall)
    },
  }
}
