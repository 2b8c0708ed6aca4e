import type { Logger } from '@weir/runtime'
import type { WebhookMetrics } from './metrics.ts'
import { type Answer, type Parcel, type SendOptions, send } from './send.ts'
import { type Standing, type Verdict, verdictOf } from './verdict.ts'

/** A delivery that is to be tried now; `attempts` are all tries before this one. */
export type Begun = Parcel & Standing & { attempts: number }

/** How a try went, to be written down. */
export type Tried = {
  beganAt: Date
  durationMs: number
  status?: number
  failure?: string
  verdict: Verdict['kind']
  retryMs?: number | undefined
  restMs: number
}

export type DeliverDeps<Id> = {
  outbox: {
    begin(id: Id): Promise<Begun | undefined>
    end(id: Id, attempts: number, tried: Tried): Promise<boolean>
    release(id: Id): Promise<void>
  }
  sending: SendOptions
  /** The wait after each try, in milliseconds. */
  retriesMs: readonly number[]
  metrics: WebhookMetrics
  log: Pick<Logger, 'warn'>
}

/**
 * One try at one delivery. Whoever dies in the middle of it leaves a claim that lapses: the event is sent again, with the
 * same id, so it arrives at least once. What is aborted is left to others at once.
 */
export function createDeliver<Id>({ outbox, sending, retriesMs, metrics, log }: DeliverDeps<Id>) {
  return async function deliver(id: Id, signal: AbortSignal): Promise<void> {
    const begun = await outbox.begin(id)
    if (!begun) return
    const beganAt = new Date()
    const clock = performance.now()
    let answer: Answer
    try {
      answer = await send(begun, sending, signal)
    } catch (error) {
      await outbox.release(id)
      if (signal.aborted) return
      throw error
    }
    const durationMs = performance.now() - clock
    const { kind, ...waits } = verdictOf(answer, begun, retriesMs)
    const said = answer.kind === 'answered' ? { status: answer.status } : { failure: answer.reason }
    if (!(await outbox.end(id, begun.attempts, { beganAt, durationMs, ...said, verdict: kind, ...waits }))) return
    metrics.tried(answer, kind, durationMs)
    if (begun.attempts === 0) metrics.begun(beganAt.getTime() - begun.event.createdAt.getTime())
    if (answer.kind === 'unanswered' && answer.reason === 'unsigned')
      log.warn({ delivery: id }, 'a signing secret cannot be read: WEIR_KEY_PEPPER has changed')
  }
}
