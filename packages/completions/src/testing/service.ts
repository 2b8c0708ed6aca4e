import {
  type AccountId,
  type CompletionId,
  type CompletionJob,
  type CompletionRequest,
  type Model,
  newAccountId,
  newKeyId,
  uuidOf,
} from '@weir/contracts'
import { createLedger, createPrices, openPriceBook } from '@weir/ledger'
import { openTestDatabase, openTestRedis } from '@weir/local/testing'
import { type Processed, createAdmission, openLane } from '@weir/queue'
import { createPresence, createRelay, openControl, openReplies } from '@weir/relay'
import { type OpenRedisOptions, createLogger, openDatabase, openRedis } from '@weir/runtime'
import { createCompletionRecords, createCompletionStore, createKeptCompletions } from '@weir/store'
import { sql } from 'kysely'
import { type Admitted, type Ask, admit } from '../admit.ts'
import { submit } from '../hand-over.ts'
import { createAttempts } from '../attempts.ts'
import { createAudience } from '../audience.ts'
import { createAdmissions, createEndings } from '../commits.ts'
import { lostOutcome } from '../outcomes.ts'
import { type RunDeps, createRunCompletion } from '../run-completion.ts'
import type { RunMetrics, Waste } from '../run-metrics.ts'
import { type Play, playedBackends } from './backend.ts'

/** One microcredit for a token that comes in, two for one that goes out. */
export const model: Model = {
  id: 'fast',
  aliases: [],
  targets: [{ backend: 'gpu', model: 'small' }],
  price: { input: 1_000_000n, cachedInput: 1_000_000n, output: 2_000_000n },
  maxOutputTokens: 100,
  contextWindow: 10_000,
}

export const requestOf = (overrides: Partial<CompletionRequest> = {}): CompletionRequest => ({
  model: model.id,
  messages: [{ role: 'user', content: 'Why do rivers bend?' }],
  maxOutputTokens: 100,
  stream: false,
  ...overrides,
})

/** Somebody waits for it, and nothing is kept. */
export const askOf = (request: CompletionRequest, given: Partial<Ask> = {}): Ask => ({
  model,
  request,
  timeoutMs: 60_000,
  ownDeadline: false,
  background: false,
  attended: true,
  keepMs: undefined,
  metadata: undefined,
  includeUsage: false,
  idempotency: undefined,
  ...given,
})

const LEASE_MS = 600_000
const LIMITS = { maxBatch: 100, maxQueued: 1_000, timeoutMs: 10_000 }
const BALANCE = 10_000n

/** The service without its processes: a real Redis and a real Postgres, one account with credits, played backends. */
export async function serviceFixture({ maxLivePerAccount = 10, maxWaiting = 100 } = {}) {
  const resources = new AsyncDisposableStack()
  const onError = () => {}
  const { url, prefix } = resources.use(await openTestRedis())
  const connect = async (kind: OpenRedisOptions['kind'] = 'command') =>
    resources.use(await openRedis(url, { kind, timeoutMs: 10_000, onError }))
  const [{ url: databaseUrl }, redis, subscriber] = await Promise.all([
    openTestDatabase().then((database) => resources.use(database)),
    connect(),
    connect('subscriber'),
  ])
  const db = resources.use(openDatabase(databaseUrl, { max: 4, timeoutMs: 10_000, onError }))

  const relay = createRelay(redis, { prefix, retentionMs: 60_000 })
  const lane = resources.use(openLane({ redis, prefix, lane: 'interactive', onError }))
  const lanes = { interactive: lane, batch: resources.use(openLane({ redis, prefix, lane: 'batch', onError })) }
  const admission = createAdmission(redis, prefix, { maxLivePerAccount, maxWaiting })
  const endings = createEndings(db, LIMITS)
  const admissions = createAdmissions(db, { ...LIMITS, leaseMs: LEASE_MS, idempotencyMs: 86_400_000 })
  const audience = createAudience(createPresence(redis))
  const attempts = resources.use(createAttempts(relay, audience, { patienceMs: 10_000, graceMs: 10_000 }))
  const replies = await openReplies({ subscriber, relay, prefix, replica: 'replica', bufferBytes: 100_000, onError })
  const onCancel = (id: CompletionId) => attempts.stop(id, 'cancelled')
  const worker = { name: 'worker', channel: await openControl({ subscriber, prefix, worker: 'worker', onCancel }) }

  const ledger = createLedger(db)
  const accountId = newAccountId()
  await ledger.amend([{ op: 'grant', accountId, kind: 'purchased', amount: BALANCE, actor: 'test' }])
  const prices = resources.use(await openPriceBook(createPrices(db), [model], { refreshMs: 60_000, onError }))

  const log = createLogger({ name: 'test', level: 'silent' })
  let runs = 0
  const wasted: { tokens: number; why: Waste }[] = []
  const metrics: RunMetrics = { attemptEnded: () => {}, wasted: (tokens, why) => wasted.push({ tokens, why }) }
  const keptCompletions = createKeptCompletions(db)
  const engines = { endings, relay, admission, admissions, prices, lane, lanes, keptCompletions }
  const completionRecords = createCompletionRecords(db)
  const deps = {
    ...engines,
    largeBodyBytes: 131_072,
    attempts,
    audience,
    worker,
    metrics,
    log,
    completionRecords,
    onError,
  }

  return {
    ...deps,
    db,
    ledger,
    prefix,
    connect,
    wasted,
    redis,
    replies,
    accountId,
    completions: createCompletionStore(db),
    places: `${prefix}:live:{${accountId}}`,
    stateOf: (id: CompletionId) => `${prefix}:completion:{${id}}`,

    async admit(request = requestOf(), given: Partial<Ask> & { accountId?: AccountId } = {}): Promise<CompletionJob> {
      const admitted = await this.admitted(request, given)
      if (admitted.kind !== 'admitted') throw new Error(`It is held by ${admitted.by}.`)
      return admitted.job
    },
    admitted: (request = requestOf(), given: Partial<Ask> & { accountId?: AccountId } = {}): Promise<Admitted> =>
      admit(deps, { accountId: given.accountId ?? accountId, keyId: newKeyId() }, askOf(request, given)),

    /** A completion that waits on the lane. */
    async submitted(request = requestOf(), given: Partial<Ask> = {}): Promise<CompletionJob> {
      const job = await this.admit(request, given)
      await submit(deps, job, { replyTo: replies.channel })
      return job
    },

    /** What a worker does with a job it has fetched, with these backends. */
    run(job: CompletionJob, play: Play, options: Partial<RunDeps> & { signal?: AbortSignal } = {}): Promise<Processed> {
      const { signal = new AbortController().signal, ...overrides } = options
      return this.runnerOf(play, overrides)(job.id, signal, ++runs)
    },
    runnerOf: (play: Play, overrides: Partial<RunDeps> = {}) =>
      createRunCompletion({
        ...deps,
        backends: playedBackends(play),
        catalogue: { find: (name) => (name === model.id ? model : undefined) },
        maxAttempts: 3,
        frames: { intervalMs: 1, frameBytes: 512, patienceMs: 10_000 },
        ...overrides,
      }),

    /** How a completion ends that Redis has lost. */
    lost: lostOutcome(),

    outcomeOf: async ({ id }: CompletionJob) => (await relay.recordOf(id))?.outcome,

    /** What the account has been charged, and what is still set aside. */
    async books() {
      const { balance, reserved } = await ledger.balanceOf(accountId)
      return { charged: BALANCE - balance, reserved }
    },

    charges: async () => (await ledger.entriesOf(accountId, { limit: 100 })).filter(({ kind }) => kind === 'charge'),

    /** How Postgres remembers a completion. */
    async rowOf({ id }: CompletionJob) {
      const { rows } = await sql<{ state: string; error_code: string | null; charged: bigint | null }>`
        select state, error_code, charged from store.completion where id = ${uuidOf(id)}`.execute(db)
      return rows[0]
    },

    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

export type ServiceFixture = Awaited<ReturnType<typeof serviceFixture>>
