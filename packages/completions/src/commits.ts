import {
  type AccountId,
  type CompletionId,
  type KeyId,
  type Microcredits,
  type Outcome,
  type PriceId,
  uuidOf,
} from '@weir/contracts'
import {
  type AppliedRow,
  type CloseVerdict,
  type Committed,
  type GroupCommit,
  type Operation,
  type ReserveVerdict,
  applyCall,
  closeVerdictAt,
  createGroupCommit,
  reserveVerdictAt,
} from '@weir/ledger'
import { type Database, isDependencyError } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'

/** A completion that asks to be let in: its reservation and its row are written together or not at all. */
export type Admission = {
  id: CompletionId
  accountId: AccountId
  keyId: KeyId
  model: string
  stream: boolean
  deadlineAt: number
  quote: Microcredits
  /** What an account that clamps must at least be able to pay. */
  least: Microcredits
  priceId: PriceId
}

/** A completion that has ended: its settlement and its row are written together or not at all. */
export type Ending = { id: CompletionId; accountId: AccountId; outcome: Outcome }

export type Admissions = GroupCommit<Admission, ReserveVerdict>
export type Endings = GroupCommit<Ending, CloseVerdict>

export type CommitLimits = { maxBatch: number; maxQueued: number; timeoutMs: number }
export type AdmissionOptions = CommitLimits & {
  onCommitted?: (batch: Committed<ReserveVerdict>) => void
  /** A reservation is expected to have ended, or to have been extended, after so long. */
  leaseMs: number
}
export type EndingOptions = CommitLimits & {
  onCommitted?: (batch: Committed<CloseVerdict>) => void
  /** Told when a completion cost more than its account could pay. */
  onUncollected?: (amount: Microcredits, id: CompletionId) => void
}

export function createAdmissions(db: Database, { leaseMs, ...limits }: AdmissionOptions): Admissions {
  return createGroupCommit<Admission, ReserveVerdict>({
    ...common,
    ...limits,
    commit: async (admissions) => {
      const row = await one(db, admitStatement(admissions, leaseMs))
      return admissions.map((_, i) => reserveVerdictAt(row, i))
    },
  })
}

export function createEndings(db: Database, { onUncollected, ...limits }: EndingOptions): Endings {
  return createGroupCommit<Ending, CloseVerdict>({
    ...common,
    ...limits,
    commit: async (endings) => {
      const row = await one(db, endStatement(endings))
      return endings.map(({ id }, i) => {
        const verdict = closeVerdictAt(row, i)
        if (verdict.kind === 'closed' && verdict.uncollected > 0n) onUncollected?.(verdict.uncollected, id)
        return verdict
      })
    },
  })
}

const common = {
  keyOf: ({ id }: { id: CompletionId }) => id,
  // Accounts are locked and their operations applied in this order: that of their UUIDs, which the ids keep.
  orderOf: ({ accountId }: { accountId: AccountId }) => accountId,
  isTransient: (error: unknown) => isDependencyError(error) || isUniqueViolation(error),
}

/** The batch itself, still committing on a connection that we lost, can be ahead of its own repetition. */
const isUniqueViolation = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === '23505'

async function one(db: Database, statement: RawBuilder<AppliedRow>): Promise<AppliedRow> {
  const { rows } = await statement.execute(db)
  return rows[0]!
}

function admitStatement(admissions: readonly Admission[], leaseMs: number): RawBuilder<AppliedRow> {
  const operations = admissions.map(({ id, accountId, keyId, quote, least, priceId }): Operation => {
    return { kind: 'reserve', accountId, completionId: id, quote, least, keyId, priceId }
  })
  return sql<AppliedRow>`
    select applied.verdict, applied.figure, applied.other, applied.version, store.insert_completions(
      (select array_agg(v = 0 order by n) from unnest(applied.verdict) with ordinality as each(v, n)),
      ${admissions.map(({ id }) => uuidOf(id))}::uuid[],
      ${admissions.map(({ accountId }) => uuidOf(accountId))}::uuid[],
      ${admissions.map(({ keyId }) => uuidOf(keyId))}::uuid[],
      ${admissions.map(({ model }) => model)}::text[],
      ${admissions.map(({ stream }) => stream)}::boolean[],
      ${admissions.map(({ deadlineAt }) => new Date(deadlineAt).toISOString())}::timestamptz[])
    from ${applyCall(operations, leaseMs)} as applied`
}

function endStatement(endings: readonly Ending[]): RawBuilder<AppliedRow> {
  const operations = endings.map(endOperation)
  const outcomes = endings.map(({ outcome }) => outcome)
  const ids = endings.map(({ id }) => uuidOf(id))
  // Without its reservation a completion is not ended: no row has the id null.
  return sql<AppliedRow>`
    select applied.verdict, applied.figure, applied.other, applied.version, store.end_completions(
      (select array_agg(case when v <> 3 then id end order by n)
        from unnest(applied.verdict, ${ids}::uuid[]) with ordinality as each(v, id, n)),
      ${outcomes.map(({ state }) => state)}::text[],
      ${outcomes.map(({ servedBy }) => servedBy ?? null)}::text[],
      ${outcomes.map(({ error }) => error?.code ?? null)}::text[],
      ${outcomes.map(({ usage }) => usage.inputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.cachedInputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.outputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.source)}::text[],
      applied.figure,
      ${outcomes.map(({ attempts }) => attempts ?? null)}::smallint[],
      ${outcomes.map(({ clampedTo }) => clampedTo ?? null)}::int[],
      applied.decided_at)
    from ${applyCall(operations, 0)} as applied`
}

function endOperation({ id, accountId, outcome }: Ending): Operation {
  const { state, cost } = outcome
  if (cost > 0n || state === 'completed') return { kind: 'settle', accountId, completionId: id, cost }
  return { kind: state === 'expired' ? 'expire' : 'release', accountId, completionId: id }
}
