import {
  type FinishDeps,
  type ReconcileDeps,
  createCheckBooks,
  createReconcileMetrics,
  createReconciler,
  extendReservations,
} from '@weir/completions'
import { createLedger, keepMonths } from '@weir/ledger'
import { openLane } from '@weir/queue'
import { SLOWEST_POLL_MS } from '@weir/relay'
import { type Database, type Logger, type Metrics, type Redis, createLease, openDatabase, repeat } from '@weir/runtime'
import { createCompletionStore, forgetLapsed, sweepBatches, sweepFiles } from '@weir/store'
import { keepBooks } from './keep-books.ts'

type Given = FinishDeps &
  Pick<ReconcileDeps, 'relay' | 'admission' | 'keptCompletions'> & {
    db: Database
    redis: Redis
    prefix: string
    databaseUrl: string
    metrics: Metrics
    leaseMs: number
    reconcileAfterMs: number
    reconcileIntervalMs: number
    idempotencyMs: number
    monthsKept: number
    upkeepMs: number
    checkMs: number
    log: Logger
    onError: (error: unknown) => void
  }

/** The longest that a look at all the books may take. */
const PATIENT_MS = 1_800_000

/** The role `maintenance`: looks after what was lost, forgets what has lapsed, and checks the books. */
export function maintain(given: Given): AsyncDisposable {
  const { db, metrics, upkeepMs, log, onError } = given
  const running = new AsyncDisposableStack()
  running.use(reconcileAll(given))

  const forget = async (signal: AbortSignal) => {
    await forgetLapsed(db, { idempotencyMs: given.idempotencyMs, signal })
    await sweepBatches(db, { signal })
    await sweepFiles(db, { signal })
  }
  running.use(repeat(upkeepMs, forget, onError))

  // Checks and archives read whole months.
  const patientDb = running.use(openDatabase(given.databaseUrl, { max: 2, timeoutMs: PATIENT_MS, onError }))
  running.use(
    keepBooks({
      ledger: createLedger(db),
      keepMonths: () => keepMonths(patientDb, { monthsKept: given.monthsKept }),
      checkBooks: createCheckBooks(patientDb),
      metrics,
      upkeepMs,
      checkMs: given.checkMs,
      log,
    }),
  )
  return running
}

function reconcileAll(given: Given): AsyncDisposable {
  const { db, redis, prefix, leaseMs, metrics, onError } = given
  const running = new AsyncDisposableStack()
  const reconcile = createReconciler({
    ...given,
    completions: createCompletionStore(db),
    lanes: {
      interactive: running.use(openLane({ redis, prefix, lane: 'interactive', onError })),
      batch: running.use(openLane({ redis, prefix, lane: 'batch', onError })),
    },
    afterMs: given.reconcileAfterMs,
    // By then a replica that still waits has noticed, and has handed the completion over again.
    lostAfterMs: 2 * SLOWEST_POLL_MS,
    keepAlive: (completions) => extendReservations(db, completions, leaseMs),
    aliveEveryMs: leaseMs / 3,
    onFound: createReconcileMetrics(metrics),
  })
  // One looks at a time: several would mend the same, which is harmless, and tell it twice.
  const intervalMs = given.reconcileIntervalMs
  const lease = running.use(createLease(redis, `${prefix}:reconciler`, 3 * intervalMs))
  running.use(repeat(intervalMs, async (signal) => ((await lease.hold()) ? reconcile(signal) : undefined), onError))
  return running
}
