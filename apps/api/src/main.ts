import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createBackendStandings, estimateTokens, loadCatalogue, probeModels } from '@weir/backends'
import {
  createAdmissions,
  createCheckBooks,
  createCommitMetrics,
  createEndings,
  withAdmissionMetrics,
} from '@weir/completions'
import { createLedger, createPrices, openPriceBook, createLedgerHistory } from '@weir/ledger'
import { createAdmission, openLane } from '@weir/queue'
import { announceRevocation, createRelay, onRevocation, openReplies, sayPresent } from '@weir/relay'
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
import {
  createAccountStore,
  createApiKeyStore,
  createBatchItems,
  createBatchLines,
  createBatchOverview,
  createBatchStore,
  createCompletionRecords,
  createFileStore,
  createIdempotencyKeys,
  createIdentityCache,
  createRateLimitStore,
  createKeptCompletions,
  createUsageStore,
  createWebhookDeliveries,
  createWebhookEndpoints,
  createWebhookSecrets,
} from '@weir/store'
import { apiSettings } from './config.ts'
import { createDepartures } from './completions/departures.ts'
import { CHECK_TIMEOUT_MS } from './admin/ledger-check.ts'
import { createBodyRoom } from './http/body-room.ts'
import { closerOf } from './http/close-server.ts'
import { createReceiptSigner } from './receipts/signer.ts'
import { createServer } from './server.ts'

explainConfigErrors()
const config = loadConfig(apiSettings, process.env)
const log = createLogger({ name: 'api', level: config.LOG_LEVEL })
logUncaught(log)
// From here on a signal is heard; one that comes while we start is obeyed once we have.
const stopped = untilSignal('SIGTERM', 'SIGINT')
const onError = (error: unknown) => log.warn({ err: error }, 'a dependency failed')
const timeoutMs = config.WEIR_DEPENDENCY_TIMEOUT_MS
const prefix = config.WEIR_REDIS_PREFIX

const catalogue = await loadCatalogue({
  path: config.WEIR_CONFIG ?? 'weir.yaml',
  mustExist: config.WEIR_CONFIG !== undefined,
  secretOf: (name) => process.env[name],
  probe: probeModels,
})

// Loading the vocabulary holds everything up, for so long on a busy machine that connections would seem dead: so before there are any.
await estimateTokens('anything')

// Group commits have connections of their own: they must not wait behind a listing.
await using db = openDatabase(config.DATABASE_URL, { max: config.WEIR_DATABASE_POOL, timeoutMs, onError })
await using commitDb = openDatabase(config.DATABASE_URL, { max: 4, timeoutMs, onError })
// A check of the books reads all of them.
await using checkDb = openDatabase(config.DATABASE_URL, { max: 1, timeoutMs: CHECK_TIMEOUT_MS, onError })
await using redis = await openRedis(config.REDIS_URL, { kind: 'command', timeoutMs, onError })
await using subscriber = await openRedis(config.REDIS_URL, { kind: 'subscriber', timeoutMs, onError })

const metrics = createMetrics()
const commitMetrics = createCommitMetrics(metrics)
const commitLimits = { maxBatch: config.WEIR_GROUP_COMMIT_MAX, maxQueued: config.WEIR_GROUP_COMMIT_QUEUE, timeoutMs }
const leaseMs = config.WEIR_RESERVATION_LEASE_MS
await using admissions = createAdmissions(commitDb, {
  ...commitLimits,
  leaseMs,
  idempotencyMs: config.WEIR_IDEMPOTENCY_MS,
  onCommitted: commitMetrics.commits('admission'),
})
await using endings = createEndings(commitDb, {
  ...commitLimits,
  onCommitted: commitMetrics.commits('ending'),
  onUncollected: commitMetrics.uncollected,
})
const ledger = createLedger(db, { maxOpenGrants: config.WEIR_MAX_OPEN_GRANTS })
const prices = createPrices(db)
await using priceBook = await openPriceBook(prices, catalogue.models, {
  refreshMs: config.WEIR_PRICE_REFRESH_MS,
  onError,
})

const apiKeys = createApiKeyStore(db, config.WEIR_KEY_PEPPER)
const keys = createIdentityCache({ identify: apiKeys.identify, ttlMs: config.WEIR_KEY_CACHE_MS })
await onRevocation(subscriber, prefix, keys.forget)

const relay = createRelay(redis, { prefix, retentionMs: config.WEIR_RETENTION_MS })
const replies = await openReplies({
  subscriber,
  relay,
  prefix,
  replica: randomUUID(),
  bufferBytes: config.WEIR_STREAM_BUFFER_BYTES,
  onError,
})
await using _presence = sayPresent(redis, replies.channel, onError)
await using lane = openLane({ redis, prefix, lane: 'interactive', onError })
const admission = withAdmissionMetrics(
  createAdmission(redis, prefix, {
    maxLivePerAccount: config.WEIR_MAX_LIVE_PER_ACCOUNT,
    maxQueuedPerAccount: config.WEIR_MAX_QUEUED_PER_ACCOUNT,
    requestsPerMinute: config.WEIR_REQUESTS_PER_MINUTE,
    tokensPerMinute: config.WEIR_TOKENS_PER_MINUTE,
    maxWaiting: config.WEIR_MAX_WAITING,
  }),
  metrics,
)
const keptCompletions = createKeptCompletions(db)
await using departures = createDepartures({
  keptCompletions,
  relay,
  endings,
  admission,
  replies,
  graceMs: config.WEIR_DISCONNECT_GRACE_MS,
  onError,
})

// Commits do not wait behind a listing, so neither does the question whether Postgres answers.
const checks = checksOf(commitDb, redis)
await using dependencies = watchDependencies(checks)

const webhookAddresses = config.WEIR_WEBHOOK_PRIVATE_ADDRESSES === 'true' ? 'private_too' : 'public'
const bodyLimitBytes = config.WEIR_BODY_LIMIT_BYTES
let draining = false
const lastCall = new AbortController()
const app = await createServer(
  {
    catalogue,
    keys,
    apiKeys,
    accounts: createAccountStore(db),
    rateLimits: createRateLimitStore(db),
    ledger,
    history: createLedgerHistory(db),
    usage: createUsageStore(db),
    checkBooks: createCheckBooks(checkDb),
    prices: priceBook,
    priceVersions: prices,
    backendStandings: createBackendStandings(redis, prefix, catalogue),
    completionRecords: createCompletionRecords(db),
    keptCompletions,
    webhookEndpoints: createWebhookEndpoints(db, {
      pepper: config.WEIR_KEY_PEPPER,
      most: config.WEIR_WEBHOOK_MAX_ENDPOINTS,
    }),
    webhookDeliveries: createWebhookDeliveries(db),
    webhookSecrets: createWebhookSecrets(db, config.WEIR_KEY_PEPPER),
    webhookSending: { addresses: webhookAddresses, timeoutMs: config.WEIR_WEBHOOK_TIMEOUT_MS },
    idempotencyKeys: createIdempotencyKeys(db, { ttlMs: config.WEIR_IDEMPOTENCY_MS }),
    files: createFileStore(db, {
      fileBytes: config.WEIR_FILE_MAX_BYTES,
      bytesPerAccount: config.WEIR_FILES_BYTES_PER_ACCOUNT,
      filesPerAccount: config.WEIR_FILES_PER_ACCOUNT,
      retentionMs: config.WEIR_FILE_RETENTION_MS,
    }),
    fileBytes: config.WEIR_FILE_MAX_BYTES,
    batches: createBatchStore(db),
    batchItems: createBatchItems(db),
    batchLines: createBatchLines(db),
    batchOverview: createBatchOverview(db),
    batchTerms: {
      idempotencyMs: config.WEIR_IDEMPOTENCY_MS,
      mostOpen: config.WEIR_BATCHES_PER_ACCOUNT,
      windowMs: config.WEIR_BATCH_COMPLETION_MS,
      maxTries: config.WEIR_BATCH_MAX_TRIES,
      resultsKeptMs: config.WEIR_BATCH_RESULTS_RETENTION_MS,
    },
    inlineBatch: {
      maxBytes: config.WEIR_BATCH_BODY_LIMIT_BYTES,
      maxRequests: config.WEIR_BATCH_MAX_LINES,
      maxRequestBytes: bodyLimitBytes,
    },
    publicUrl: config.WEIR_PUBLIC_URL,
    receiptSigner: await createReceiptSigner(config.WEIR_RECEIPT_KEY, config.WEIR_RECEIPT_PAST_KEYS?.keys),
    adminKey: config.WEIR_ADMIN_KEY,
    announceRevocation: (keyId) => announceRevocation(redis, prefix, keyId),
    admission,
    admissions,
    endings,
    largeBodyBytes: config.WEIR_LARGE_BODY_BYTES,
    bodyLimitBytes,
    bodyRoom: createBodyRoom({ roomBytes: config.WEIR_BODY_ROOM_BYTES, limitBytes: bodyLimitBytes }),
    relay,
    lane,
    replies,
    departures,
    askLimits: {
      timeouts: {
        plainMs: config.WEIR_COMPLETION_TIMEOUT_MS,
        streamMs: config.WEIR_STREAM_TIMEOUT_MS,
        backgroundMs: config.WEIR_BACKGROUND_TIMEOUT_MS,
      },
      waitMs: config.WEIR_WAIT_MS,
      keep: {
        backgroundMs: config.WEIR_BACKGROUND_RETENTION_MS,
        storedMs: config.WEIR_STORED_RETENTION_MS,
        idempotencyMs: config.WEIR_IDEMPOTENCY_MS,
      },
      webhookAddresses,
    },
    eventStream: { keepAliveMs: config.WEIR_KEEP_ALIVE_MS, stallMs: config.WEIR_STREAM_STALL_MS },
    isDraining: () => draining,
    lastCall: lastCall.signal,
    checks,
    dependencies,
    unreadyAfterMs: config.WEIR_UNREADY_AFTER_MS,
    onError,
  },
  { log },
)
const close = closerOf(app, () => lastCall.abort())
await app.listen({ host: config.HOST, port: config.PORT })
const { port } = app.server.address() as AddressInfo
await using metricsServer = await serveMetrics(metrics, { host: config.HOST, port: config.WEIR_METRICS_PORT })
announceReady({ port, metricsPort: metricsServer.port })
log.info({ port, models: catalogue.models.map(({ id }) => id) }, 'ready')

log.info({ signal: await stopped }, 'draining')
exitAfter(config.WEIR_SHUTDOWN_MS)
draining = true
await close({ delayMs: config.WEIR_DRAIN_DELAY_MS, graceMs: config.WEIR_SHUTDOWN_MS })
