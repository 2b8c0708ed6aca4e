import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  createBackends,
  createFetchImage,
  createSlots,
  createTargetHealth,
  inlineImages,
  loadCatalogue,
  openQuota,
  probeModels,
  publishHealth,
} from '@weir/backends'
import {
  createAttempts,
  createAudience,
  createCheckBooks,
  createCommitMetrics,
  createReconcileMetrics,
  createEndings,
  createReconciler,
  createRunCompletion,
  createRunMetrics,
  createTargetMetrics,
  extendReservations,
  keepReservations,
} from '@weir/completions'
import { createLedger, keepMonths } from '@weir/ledger'
import { createAdmission, openLane, startConsumer } from '@weir/queue'
import { SLOWEST_POLL_MS, createPresence, createRelay, openControl } from '@weir/relay'
import {
  announceReady,
  checksOf,
  createLease,
  createLogger,
  createMetrics,
  exitAfter,
  explainConfigErrors,
  loadConfig,
  logUncaught,
  openDatabase,
  openRedis,
  repeat,
  serveMetrics,
  untilSignal,
  watchDependencies,
} from '@weir/runtime'
import { createCompletionStore, createKeptCompletions, forgetLapsed } from '@weir/store'
import { workerSettings } from './config.ts'
import { createHealth } from './health.ts'
import { keepBooks } from './keep-books.ts'

/** The longest that a look at all the books may take. */
const PATIENT_MS = 1_800_000

explainConfigErrors()
const config = loadConfig(workerSettings, process.env)
const log = createLogger({ name: 'worker', level: config.LOG_LEVEL })
logUncaught(log)
// From here on a signal is heard; one that comes while we start is obeyed once we have.
const stopped = untilSignal('SIGTERM', 'SIGINT')
const onError = (error: unknown) => log.warn({ err: error }, 'a dependency failed')
const timeoutMs = config.WEIR_DEPENDENCY_TIMEOUT_MS
const prefix = config.WEIR_REDIS_PREFIX
const leaseMs = config.WEIR_RESERVATION_LEASE_MS
const secretOf = (name: string) => process.env[name]

const catalogue = await loadCatalogue({
  path: config.WEIR_CONFIG ?? 'weir.yaml',
  mustExist: config.WEIR_CONFIG !== undefined,
  secretOf,
  probe: probeModels,
})

await using db = openDatabase(config.DATABASE_URL, { max: 4, timeoutMs, onError })
await using redis = await openRedis(config.REDIS_URL, { kind: 'command', timeoutMs, onError })
await using subscriber = await openRedis(config.REDIS_URL, { kind: 'subscriber', timeoutMs, onError })

await using dependencies = watchDependencies(checksOf(db, redis))
const health = createHealth({ dependencies, unreadyAfterMs: config.WEIR_UNREADY_AFTER_MS })
const metrics = createMetrics()
// Served to the end: whoever waits for this process to go sees that it drains.
await using metricsServer = await serveMetrics(metrics, {
  host: config.HOST,
  port: config.WEIR_METRICS_PORT,
  probes: health,
})
const commitMetrics = createCommitMetrics(metrics)
await using endings = createEndings(db, {
  onCommitted: commitMetrics.commits('ending'),
  onUncollected: commitMetrics.uncollected,
  maxBatch: config.WEIR_GROUP_COMMIT_MAX,
  maxQueued: config.WEIR_GROUP_COMMIT_QUEUE,
  timeoutMs,
})
const relay = createRelay(redis, { prefix, retentionMs: config.WEIR_RETENTION_MS })
const admission = createAdmission(redis, prefix, { maxLivePerAccount: Infinity, maxWaiting: Infinity })
const keptCompletions = createKeptCompletions(db)
const finishing = { endings, relay, admission, keptCompletions }

// A worker that Redis has not heard for this long must be silent before another one is told to speak.
const patienceMs = 0.7 * config.WEIR_LOCK_MS
const audience = createAudience(createPresence(redis))
const attempts = createAttempts(relay, audience, { patienceMs, graceMs: config.WEIR_DISCONNECT_GRACE_MS })
await using _attempts = attempts
await using _reservations = keepReservations(db, attempts, { leaseMs, onError })

const fetchImage = createFetchImage({
  privateAddresses: config.WEIR_FETCH_PRIVATE_ADDRESSES === 'true',
  timeoutMs: config.WEIR_FETCH_TIMEOUT_MS,
})
const inliner = { fetchImage, maxBytes: config.WEIR_IMAGE_MAX_BYTES }
await using backends = createBackends(catalogue, {
  secretOf,
  slots: createSlots(redis, prefix),
  inlineImages: (request, signal) => inlineImages(request, inliner, signal),
})
const name = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`
await using quota = await openQuota(redis, prefix, onError)
const targetHealth = createTargetHealth({ quota, metrics: createTargetMetrics(metrics) })
await using _published = publishHealth(redis, prefix, name, targetHealth, onError)
const runCompletion = createRunCompletion({
  ...finishing,
  backends,
  health: targetHealth,
  catalogue,
  attempts,
  audience,
  worker: {
    name,
    channel: await openControl({ subscriber, prefix, worker: name, onCancel: (id) => attempts.stop(id, 'cancelled') }),
  },
  metrics: createRunMetrics(metrics),
  maxAttempts: config.WEIR_MAX_ATTEMPTS,
  frames: { intervalMs: config.WEIR_FRAME_INTERVAL_MS, frameBytes: config.WEIR_FRAME_BYTES, patienceMs },
  onTargetFailed: (target, error) => log.warn({ target, err: error.cause ?? error }, 'target failed'),
  log,
})

await using running = new AsyncDisposableStack()
if (config.WEIR_ROLES.includes('maintenance')) {
  const lane = running.use(openLane({ redis, prefix, onError }))
  const completions = createCompletionStore(db)
  const reconcile = createReconciler({
    ...finishing,
    completions,
    lane,
    afterMs: config.WEIR_RECONCILE_AFTER_MS,
    // By then a replica that still waits has noticed, and has handed the completion over again.
    lostAfterMs: 2 * SLOWEST_POLL_MS,
    keepAlive: (completions) => extendReservations(db, completions, leaseMs),
    aliveEveryMs: leaseMs / 3,
    onFound: createReconcileMetrics(metrics),
    log,
  })
  // One looks at a time: several would mend the same, which is harmless, and tell it twice.
  const intervalMs = config.WEIR_RECONCILE_INTERVAL_MS
  const lease = running.use(createLease(redis, `${prefix}:reconciler`, 3 * intervalMs))
  running.use(repeat(intervalMs, async (signal) => ((await lease.hold()) ? reconcile(signal) : undefined), onError))
  const forget = async (signal: AbortSignal) =>
    void (await forgetLapsed(db, { idempotencyMs: config.WEIR_IDEMPOTENCY_MS, signal }))
  running.use(repeat(config.WEIR_LEDGER_UPKEEP_INTERVAL_MS, forget, onError))

  // Checks and archives read whole months.
  const patientDb = running.use(openDatabase(config.DATABASE_URL, { max: 2, timeoutMs: PATIENT_MS, onError }))
  running.use(
    keepBooks({
      ledger: createLedger(db),
      keepMonths: () => keepMonths(patientDb, { monthsKept: config.WEIR_LEDGER_MONTHS_KEPT }),
      checkBooks: createCheckBooks(patientDb),
      metrics,
      upkeepMs: config.WEIR_LEDGER_UPKEEP_INTERVAL_MS,
      checkMs: config.WEIR_LEDGER_CHECK_INTERVAL_MS,
      log,
    }),
  )
}
if (config.WEIR_ROLES.includes('completions')) {
  const blocking = await openRedis(config.REDIS_URL, { kind: 'blocking', timeoutMs, onError })
  running.use(blocking)
  const consumer = startConsumer({
    redis: blocking,
    prefix,
    concurrency: config.WEIR_WORKER_CONCURRENCY,
    lockMs: config.WEIR_LOCK_MS,
    stalledIntervalMs: config.WEIR_STALLED_INTERVAL_MS,
    process: runCompletion,
    onError,
  })
  health.watch(consumer)
  running.defer(() => {
    // In this order, or what is handed back is fetched here again.
    const ended = consumer.stop(config.WEIR_SHUTDOWN_MS)
    attempts.handBackSilent()
    return ended
  })
}
health.begin()
announceReady({ metricsPort: metricsServer.port })
log.info({ roles: config.WEIR_ROLES }, 'ready')

log.info({ signal: await stopped }, 'draining')
health.drain()
exitAfter(config.WEIR_SHUTDOWN_MS)
