import { z } from 'zod'

const milliseconds = (byDefault: number, max = 86_400_000) => z.coerce.number().int().min(1).max(max).default(byDefault)
const days = (byDefault: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(400 * 86_400_000)
    .default(byDefault * 86_400_000)
const count = (byDefault: number, max = 1_000_000) => z.coerce.number().int().min(1).max(max).default(byDefault)
const rate = z.coerce.number().int().min(1).max(1_000_000_000).optional()
const bytes = (byDefault: number) => z.coerce.number().int().min(1024).max(1_073_741_824).default(byDefault)

/** What is wrong with a value in words of its own; one that is missing is missing. */
const mustBe = (what: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? undefined : `must be ${what}`),
})

const notASeed = {
  error: 'must be 32 random bytes as base64url, 43 characters, as of: openssl rand -base64 32 | tr +/ -_ | tr -d =',
}
const notPublicKeys = { error: 'must be public Ed25519 keys as /.well-known/weir-receipt-keys.json serves them' }

/** Strict, so that a private key (`d`), which would be published, is refused. */
const PublicKey = z.strictObject(
  {
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string().regex(/^[\w-]{43}$/),
    kid: z.string().optional(),
    alg: z.literal('EdDSA').optional(),
    use: z.literal('sig').optional(),
  },
  notPublicKeys,
)
const PublicKeys = z.object({ keys: z.array(PublicKey, notPublicKeys) }, notPublicKeys)

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Every setting that the environment may carry, once. A process picks those it needs with `loadConfig`; a `WEIR_` name
 * that is not here is refused, so that a misspelt limit is found at start and not in production.
 */
export const settings = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, ...mustBe('a postgres:// or postgresql:// URL') })
    .describe('Postgres, the truth'),
  REDIS_URL: z.url({ protocol: /^rediss?$/, ...mustBe('a redis:// or rediss:// URL') }).describe('Redis, the motion'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe('port of the API; 0 takes a free one'),
  HOST: z.string().default('0.0.0.0').describe('address the API listens on'),
  WEIR_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('port of /metrics, for Prometheus; none when absent'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level that is logged'),

  WEIR_CONFIG: z.string().optional().describe('path of the model catalogue; default weir.yaml, if it exists'),
  WEIR_REDIS_PREFIX: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
    .default('weir')
    .describe('first part of every Redis key and channel'),
  WEIR_URL: z.url().optional().describe('where the command line finds the API'),
  WEIR_API_KEY: z.string().optional().describe('what the command line asks with for a customer'),
  WEIR_ADMIN_KEY: z.string().min(24).describe('bearer secret of /admin/v1'),
  WEIR_KEY_PEPPER: z.string().min(24).describe('secret that API keys are hashed with; changing it voids all keys'),
  WEIR_RECEIPT_KEY: z
    .string(notASeed)
    .regex(/^[\w-]{43}$/, notASeed)
    .describe('secret that receipts are signed with: the seed of an Ed25519 key, the same in every replica'),
  WEIR_RECEIPT_PAST_KEYS: z
    .string()
    .transform(parsedJson)
    .pipe(PublicKeys)
    .optional()
    .describe('public keys that receipts were signed with before, as a JSON Web Key Set'),
  WEIR_KEY_CACHE_MS: milliseconds(5_000, 30_000).describe(
    'longest time a revoked key may still be accepted when Redis is cut off',
  ),

  WEIR_DATABASE_POOL: count(10, 500).describe('Postgres connections of a process, group commits aside'),
  WEIR_DEPENDENCY_TIMEOUT_MS: milliseconds(1_800, 60_000).describe('longest wait for Postgres or Redis before a 503'),
  WEIR_UNREADY_AFTER_MS: milliseconds(5_000).describe(
    'a process whose Postgres or Redis has been away for so long is not ready',
  ),
  WEIR_GROUP_COMMIT_MAX: count(500, 5_000).describe('operations in one group commit'),
  WEIR_GROUP_COMMIT_QUEUE: count(10_000).describe('operations that may wait for the next group commit before a 503'),

  WEIR_RESERVATION_LEASE_MS: milliseconds(600_000).describe(
    'a reservation has ended, or its worker has extended it, after so long',
  ),
  WEIR_PRICE_REFRESH_MS: milliseconds(10_000, 600_000).describe('after so long a new price is known to every process'),
  WEIR_MAX_OPEN_GRANTS: count(100, 1_000).describe('grants of one account that hold credits; more are refused'),
  WEIR_LEDGER_UPKEEP_INTERVAL_MS: milliseconds(60_000).describe(
    'between two looks for grants that have ended and months that begin',
  ),
  WEIR_LEDGER_CHECK_INTERVAL_MS: milliseconds(86_400_000).describe('between two checks of all the books'),
  WEIR_LEDGER_MONTHS_KEPT: count(13, 120).describe(
    'months of entries and reservations kept in the books; older ones are archived',
  ),

  WEIR_BODY_LIMIT_BYTES: bytes(20 * 1_048_576).describe('largest body of a request for a completion'),
  WEIR_BODY_ROOM_BYTES: bytes(256 * 1_048_576).describe(
    'large bodies that a process reads at once, together; more get 503',
  ),
  WEIR_LARGE_BODY_BYTES: bytes(131_072).describe('a larger request waits for its worker in Postgres, not in Redis'),
  WEIR_COMPLETION_TIMEOUT_MS: milliseconds(600_000).describe(
    'from admission to the last token of a plain call that does not say',
  ),
  WEIR_STREAM_TIMEOUT_MS: milliseconds(3_600_000).describe('the same of a stream'),
  WEIR_BACKGROUND_TIMEOUT_MS: milliseconds(86_400_000).describe(
    'the same of a background completion, and the most that any may ask for',
  ),
  WEIR_WAIT_MS: milliseconds(280_000, 290_000).describe(
    'longest wait of a plain call; then it gets the id of its completion, which goes on',
  ),
  WEIR_BACKGROUND_RETENTION_MS: days(1).describe('how long the result of a background completion is kept'),
  WEIR_STORED_RETENTION_MS: days(30).describe('how long the result of one with `store: true` is kept'),
  WEIR_IDEMPOTENCY_MS: days(1).describe('after so long an idempotency key is free again'),
  WEIR_DISCONNECT_GRACE_MS: milliseconds(5_000, 60_000).describe(
    'from a lost stream to the cancellation of its completion',
  ),
  WEIR_KEEP_ALIVE_MS: milliseconds(10_000, 60_000).describe('between two comments on a silent stream'),
  WEIR_STREAM_BUFFER_BYTES: bytes(262_144).describe(
    'frames held for one slow reader before it is served from the replay stream',
  ),
  WEIR_STREAM_STALL_MS: milliseconds(60_000).describe(
    'a reader that accepts nothing for so long is cut off, as is a sender of a file that sends less than 64 KB in it',
  ),
  WEIR_FILE_MAX_BYTES: bytes(200 * 1_048_576).describe('largest file that may be uploaded'),
  WEIR_FILES_BYTES_PER_ACCOUNT: z.coerce
    .number()
    .int()
    .min(1024)
    .max(1_000_000_000_000_000)
    .default(10 * 1_073_741_824)
    .describe('what the files of one account may weigh together; a larger upload is refused'),
  WEIR_FILES_PER_ACCOUNT: count(10_000).describe('files that one account may have; more are refused'),
  WEIR_FILE_RETENTION_MS: days(30).describe('how long a file is kept whose request does not say'),
  WEIR_MAX_LIVE_PER_ACCOUNT: count(1_000).describe(
    'completions of one account that are waiting or running; more get 429',
  ),
  WEIR_MAX_QUEUED_PER_ACCOUNT: count(1_000).describe(
    'completions of one account that no worker has begun; more get 429',
  ),
  WEIR_REQUESTS_PER_MINUTE: rate.describe('requests of one account in any minute; more get 429'),
  WEIR_TOKENS_PER_MINUTE: rate.describe('tokens of one account in any minute; more get 429'),
  WEIR_MAX_WAITING: count(10_000).describe('completions waiting for a worker, over all accounts; more get 503'),

  WEIR_ROLES: z
    .string()
    .default('completions,batches,webhooks,maintenance')
    .transform((list) => list.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(['completions', 'batches', 'webhooks', 'maintenance'])).min(1))
    .describe('what a worker process does, separated by commas'),
  WEIR_WORKER_CONCURRENCY: count(128, 10_000).describe('completions that one worker process runs at once'),
  WEIR_BATCH_CONCURRENCY: count(32, 10_000).describe('lines of batches that one worker process runs at once'),
  WEIR_BATCH_WINDOW_LINES: count(1_024, 100_000).describe(
    'lines of all batches that are on their way at once, at most; twice the slots there are, where that is less',
  ),
  WEIR_BATCH_LINE_TIMEOUT_MS: milliseconds(3_600_000).describe(
    'time from the admission of a line to its last token; then it is tried again',
  ),
  WEIR_BATCH_MAX_LINES: count(100_000).describe('lines of one batch'),
  WEIR_BATCH_MAX_TRIES: count(5, 20).describe(
    'tries of a line of a batch, each with as many attempts as any completion',
  ),
  WEIR_BATCH_COMPLETION_MS: milliseconds(86_400_000).describe('what the completion window "24h" of a batch means'),
  WEIR_BATCHES_PER_ACCOUNT: count(100, 100_000).describe(
    'batches of one account that have not ended; more are refused',
  ),
  WEIR_BATCH_RESULTS_RETENTION_MS: days(30).describe(
    'how long the results of a batch are kept whose request does not say',
  ),
  WEIR_BATCH_BODY_LIMIT_BYTES: bytes(256 * 1_048_576).describe('largest body of a batch whose requests come inline'),
  WEIR_PUBLIC_URL: z
    .url()
    .optional()
    .describe('where clients reach the API, for links in answers; default: as each request says'),
  WEIR_LOCK_MS: milliseconds(15_000, 600_000).describe('a worker silent for so long has lost its completion'),
  WEIR_STALLED_INTERVAL_MS: milliseconds(5_000, 600_000).describe('between two looks for lost completions'),
  WEIR_MAX_ATTEMPTS: count(3, 20).describe('attempts at one completion before it fails'),
  WEIR_FRAME_INTERVAL_MS: milliseconds(25, 1_000).describe('tokens are gathered into one frame for so long'),
  WEIR_FRAME_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_536)
    .default(512)
    .describe('a frame that has grown to this size leaves at once'),
  WEIR_RETENTION_MS: milliseconds(600_000).describe('how long an ended stream can be replayed'),
  WEIR_FETCH_PRIVATE_ADDRESSES: z
    .enum(['true', 'false'])
    .default('false')
    .describe('whether images may be fetched from private networks, over plain HTTP and from any port'),
  WEIR_FETCH_TIMEOUT_MS: milliseconds(15_000, 120_000).describe('longest wait for one image behind an address'),
  WEIR_IMAGE_MAX_BYTES: bytes(20 * 1_048_576).describe(
    'what the images and files of one request may weigh together that are fetched for it',
  ),
  WEIR_WEBHOOK_PRIVATE_ADDRESSES: z
    .enum(['true', 'false'])
    .default('false')
    .describe('whether events may be sent to private networks, over plain HTTP and to any port'),
  WEIR_WEBHOOK_MAX_ENDPOINTS: count(20, 1_000).describe('webhook endpoints of one account; more are refused'),
  WEIR_WEBHOOK_TIMEOUT_MS: milliseconds(15_000, 60_000).describe('longest wait for the answer to an event'),
  WEIR_WEBHOOK_RETRIES_MS: z
    .string()
    .default('5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,86400000')
    .transform((list) => list.split(',').map(Number))
    .pipe(z.array(z.int().min(1).max(604_800_000)).min(1).max(20))
    .describe('waits before an event is sent again, one after another; after the last one its delivery has failed'),
  WEIR_WEBHOOK_CONCURRENCY: count(64, 1_000).describe('events that one worker process sends at once'),
  WEIR_WEBHOOK_PER_ENDPOINT: count(4, 100).describe('events on their way to one endpoint at once, over all workers'),
  WEIR_WEBHOOK_PER_ACCOUNT: count(16, 1_000).describe('events of one account on their way at once, over all workers'),
  WEIR_WEBHOOK_POLL_MS: milliseconds(500, 60_000).describe('between two looks for events to be sent'),
  WEIR_WEBHOOK_RETENTION_MS: days(30).describe('how long events and their deliveries are remembered'),
  WEIR_SHUTDOWN_MS: milliseconds(20_000, 3_600_000).describe('how long running completions may go on after SIGTERM'),
  WEIR_DRAIN_DELAY_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe('how long an API still takes requests after SIGTERM, not ready any more'),
  WEIR_RECONCILE_INTERVAL_MS: milliseconds(15_000).describe('between two runs of the reconciler'),
  WEIR_RECONCILE_AFTER_MS: milliseconds(60_000).describe('age at which the reconciler first looks at a completion'),
} satisfies Record<string, z.ZodType>

export type SettingName = keyof typeof settings
export type Settings = { [Name in SettingName]: z.infer<(typeof settings)[Name]> }
