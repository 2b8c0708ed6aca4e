import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  createBackends,
  createFetchImage,
  createSlots,
  createTargetHealth,
  estimateTokens,
  inlineImages,
  loadCatalogue,
  openQuota,
  probeModels,
  publishHealth,
} from '@weir/backends'
import {
  createAttempts,
  createAudience,
  createCommitMetrics,
  createEndings,
  createRunCompletion,
  createRunMetrics,
  createTargetMetrics,
  keepReservations,
} from '@weir/completions'
import { createAdmission } from '@weir/queue'
import { createPresence, createRelay, openControl } from '@weir/relay'
import {
  announceReady,
  checksOf,
  createLogger,
  createMetrics,
  exitAfter,
  explainConfigErrors,
  loadConfig,
  logUncaught,
  openDatabase,
  openRedis,
  serveMetrics,
  untilSignal,
  watchDependencies,
} from '@weir/runtime'
import { createKeptCompletions } from '@weir/store'
import { workerSettings } from './config.ts'
import { consumeLanes } from './consume-lanes.ts'
import { deliverWebhooks } from './deliver-webhooks.ts'
import { createHealth } from './health.ts'
import { maintain } from './maintain.ts'
import { openBatches } from './open-batches.ts'

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

const runsLanes = {
  ...(config.WEIR_ROLES.includes('completions') && { interactive: config.WEIR_WORKER_CONCURRENCY }),
  ...(config.WEIR_ROLES.includes('batches') && { batch: config.WEIR_BATCH_CONCURRENCY }),
}
// Loading the vocabulary holds everything up, for so long on a busy machine that connections would seem dead: so before there are any.
if (Object.keys(runsLanes).length > 0) await estimateTokens('anything')

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
const commitLimits = { maxBatch: config.WEIR_GROUP_COMMIT_MAX, maxQueued: config.WEIR_GROUP_COMMIT_QUEUE, timeoutMs }
await using endings = createEndings(db, {
  ...commitLimits,
  onCommitted: commitMetrics.commits('ending'),
  onUncollected: commitMetrics.uncollected,
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
  running.use(
    maintain({
      ...finishing,
      db,
      redis,
      prefix,
      databaseUrl: config.DATABASE_URL,
      metrics,
      leaseMs,
      reconcileAfterMs: config.WEIR_RECONCILE_AFTER_MS,
      reconcileIntervalMs: config.WEIR_RECONCILE_INTERVAL_MS,
      idempotencyMs: config.WEIR_IDEMPOTENCY_MS,
      monthsKept: config.WEIR_LEDGER_MONTHS_KEPT,
      upkeepMs: config.WEIR_LEDGER_UPKEEP_INTERVAL_MS,
      checkMs: config.WEIR_LEDGER_CHECK_INTERVAL_MS,
      log,
      onError,
    }),
  )
}
if (config.WEIR_ROLES.includes('webhooks')) {
  const blocking = running.use(await openRedis(config.REDIS_URL, { kind: 'blocking', timeoutMs, onError }))
  running.use(
    deliverWebhooks({
      db,
      redis,
      blocking,
      prefix,
      pepper: config.WEIR_KEY_PEPPER,
      sending: {
        addresses: config.WEIR_WEBHOOK_PRIVATE_ADDRESSES === 'true' ? 'private_too' : 'public',
        timeoutMs: config.WEIR_WEBHOOK_TIMEOUT_MS,
      },
      retriesMs: config.WEIR_WEBHOOK_RETRIES_MS,
      concurrency: config.WEIR_WEBHOOK_CONCURRENCY,
      perEndpoint: config.WEIR_WEBHOOK_PER_ENDPOINT,
      perAccount: config.WEIR_WEBHOOK_PER_ACCOUNT,
      pollMs: config.WEIR_WEBHOOK_POLL_MS,
      lockMs: config.WEIR_LOCK_MS,
      stalledIntervalMs: config.WEIR_STALLED_INTERVAL_MS,
      retentionMs: config.WEIR_WEBHOOK_RETENTION_MS,
      upkeepMs: config.WEIR_LEDGER_UPKEEP_INTERVAL_MS,
      shutdownMs: config.WEIR_SHUTDOWN_MS,
      stopped,
      metrics,
      log,
      onError,
    }),
  )
}
const consumers = running.use(
  await consumeLanes(runsLanes, {
    redis: { url: config.REDIS_URL, kind: 'blocking', timeoutMs, onError },
    prefix,
    lockMs: config.WEIR_LOCK_MS,
    stalledIntervalMs: config.WEIR_STALLED_INTERVAL_MS,
    process: runCompletion,
    shutdownMs: config.WEIR_SHUTDOWN_MS,
    handBackSilent: attempts.handBackSilent,
    onError,
  }),
)
health.watch(consumers)
if (config.WEIR_ROLES.includes('batches')) {
  running.use(
    await openBatches({
      ...finishing,
      catalogue,
      redis,
      prefix,
      metrics,
      databaseUrl: config.DATABASE_URL,
      timeoutMs,
      largeBodyBytes: config.WEIR_LARGE_BODY_BYTES,
      commits: {
        ...commitLimits,
        leaseMs,
        idempotencyMs: config.WEIR_IDEMPOTENCY_MS,
        onCommitted: commitMetrics.commits('admission'),
      },
      files: {
        fileBytes: config.WEIR_FILE_MAX_BYTES,
        bytesPerAccount: config.WEIR_FILES_BYTES_PER_ACCOUNT,
        filesPerAccount: config.WEIR_FILES_PER_ACCOUNT,
        retentionMs: config.WEIR_FILE_RETENTION_MS,
      },
      priceRefreshMs: config.WEIR_PRICE_REFRESH_MS,
      feeding: { maxWindow: config.WEIR_BATCH_WINDOW_LINES, lineTimeoutMs: config.WEIR_BATCH_LINE_TIMEOUT_MS },
      batchLimits: { maxLines: config.WEIR_BATCH_MAX_LINES, maxLineBytes: config.WEIR_BODY_LIMIT_BYTES },
      log,
      onError,
    }),
  )
}
health.begin()
announceReady({ metricsPort: metricsServer.port })
log.info({ roles: config.WEIR_ROLES }, 'ready')

log.info({ signal: await stopped }, 'draining')
health.drain()
exitAfter(config.WEIR_SHUTDOWN_MS)
