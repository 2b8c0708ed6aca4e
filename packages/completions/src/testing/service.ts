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
import { createRelay, openControl, openReplies } from '@weir/relay'
import { type OpenRedisOptions, createLogger, openDatabase, openRedis } from '@weir/runtime'
import { createCompletionStore } from '@weir/store'
import { sql } from 'kysely'
import { admit, submit } from '../admit.ts'
import { createAttempts } from '../attempts.ts'
import { createAdmissions, createEndings } from '../commits.ts'
import { lostOutcome } from '../outcomes.ts'
import { type RunDeps, createRunCompletion } from '../run-completion.ts'
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
  const lane = resources.use(openLane({ redis, prefix, onError }))
  const admission = createAdmission(redis, prefix, { maxLivePerAccount, maxWaiting })
  const endings = createEndings(db, LIMITS)
  const admissions = createAdmissions(db, { ...LIMITS, leaseMs: LEASE_MS })
  const attempts = resources.use(createAttempts(relay, { patienceMs: 10_000 }))
  const replies = await openReplies({ subscriber, relay, prefix, replica: 'replica', bufferBytes: 100_000, onError })
  const onCancel = (id: CompletionId) => attempts.stop(id, 'cancelled')
  const controlChannel = await openControl({ subscriber, prefix, worker: 'worker', onCancel })

  const ledger = createLedger(db)
  const accountId = newAccountId()
  await ledger.amend([{ op: 'grant', accountId, kind: 'purchased', amount: BALANCE, actor: 'test' }])
  const prices = resources.use(await openPriceBook(createPrices(db), [model], { refreshMs: 60_000, onError }))

  const log = createLogger({ name: 'test', level: 'silent' })
  const deps = { endings, relay, admission, admissions, prices, lane, attempts, controlChannel, log, timeoutMs: 60_000 }

  return {
    ...deps,
    db,
    replyTo: replies.channel,
    redis,
    replies,
    accountId,
    completions: createCompletionStore(db),
    places: `${prefix}:live:{${accountId}}`,
    stateOf: (id: CompletionId) => `${prefix}:completion:{${id}}`,

    admit: (request = requestOf(), given: { accountId?: AccountId; timeoutMs?: number } = {}): Promise<CompletionJob> =>
      admit({ ...deps, ...given }, { accountId: given.accountId ?? accountId, keyId: newKeyId() }, model, request),

    /** A completion that waits on the lane. */
    async submitted(request = requestOf(), given: { timeoutMs?: number } = {}): Promise<CompletionJob> {
      const job = await this.admit(request, given)
      await submit({ ...deps, replyTo: replies.channel }, job, 0)
      return job
    },

    /** What a worker does with a job it has fetched, with these backends. */
    run(job: CompletionJob, play: Play, options: Partial<RunDeps> & { signal?: AbortSignal } = {}): Promise<Processed> {
      const { signal = new AbortController().signal, ...overrides } = options
      const run = createRunCompletion({
        ...deps,
        backends: playedBackends(play),
        catalogue: { find: (name) => (name === model.id ? model : undefined) },
        maxAttempts: 3,
        frames: { intervalMs: 1, frameBytes: 512, patienceMs: 10_000 },
        ...overrides,
      })
      return run(job.id, signal)
    },

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
