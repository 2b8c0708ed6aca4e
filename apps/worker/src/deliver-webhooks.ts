import { DeliveryId } from '@weir/contracts'
import { openWorkQueue, startWorkers } from '@weir/queue'
import { type Database, type Logger, type Metrics, type Redis, repeat } from '@weir/runtime'
import { createWebhookOutbox, forgetWebhooks } from '@weir/store'
import { FAILURES_BEFORE_REST, type SendOptions, createDeliver, createWebhookMetrics } from '@weir/webhooks'
import { claimDue } from './claim-due.ts'

export type DeliverWebhooksDeps = {
  db: Database
  redis: Redis
  /** A connection of its own, on which workers wait. */
  blocking: Redis
  prefix: string
  /** What signing secrets are sealed with. */
  pepper: string
  sending: SendOptions
  /** The wait after each try. */
  retriesMs: readonly number[]
  concurrency: number
  perEndpoint: number
  perAccount: number
  pollMs: number
  lockMs: number
  stalledIntervalMs: number
  retentionMs: number
  upkeepMs: number
  shutdownMs: number
  /** Resolves when the process is to end. */
  stopped: Promise<unknown>
  metrics: Metrics
  log: Logger
  onError: (error: unknown) => void
}

const QUEUE = 'webhooks'

/**
 * Sends events. What is due is claimed in Postgres and handed out by a queue of its own; the queue may lose all of it, for
 * claims lapse. Several processes may do so.
 */
export function deliverWebhooks(deps: DeliverWebhooksDeps): AsyncDisposable {
  const { db, redis, prefix, concurrency, lockMs, metrics, log, onError } = deps
  const running = new AsyncDisposableStack()
  const outbox = createWebhookOutbox(db, {
    pepper: deps.pepper,
    perTarget: deps.perEndpoint,
    perAccount: deps.perAccount,
    failuresBeforeRest: FAILURES_BEFORE_REST,
    // A try takes no longer than its time and what it takes to miss the worker that made it.
    leaseMs: 2 * (deps.sending.timeoutMs + lockMs),
    patienceMs: deps.retriesMs.reduce((sum, waitMs) => sum + waitMs, 0),
  })
  const queue = running.use(openWorkQueue({ redis, prefix, name: QUEUE, onError }))
  const due = claimDue({ outbox, queue, pollMs: deps.pollMs, onError })
  const deliver = createDeliver({ ...deps, outbox, metrics: createWebhookMetrics(metrics) })

  const workers = startWorkers({
    redis: deps.blocking,
    prefix,
    name: QUEUE,
    concurrency,
    lockMs,
    stalledIntervalMs: deps.stalledIntervalMs,
    async process(id, signal) {
      await deliver(DeliveryId.parse(id), signal)
      due.soon()
    },
    onError,
  })
  // From the signal on: nobody waits for this before they stop themselves.
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= workers.stop(deps.shutdownMs))
  void deps.stopped.then(stop)
  running.defer(stop)
  running.use(due)

  const forget = async (signal: AbortSignal) => {
    const { deliveries } = await forgetWebhooks(db, { retentionMs: deps.retentionMs, signal })
    if (deliveries > 0) log.info({ deliveries }, 'old webhook deliveries forgotten')
  }
  running.use(repeat(deps.upkeepMs, forget, onError))
  return running
}
