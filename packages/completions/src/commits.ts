import { type AccountId, type CompletionId, type KeyId, type Microcredits, type Outcome, uuidOf } from '@weir/contracts'
import {
  type AppliedRow,
  type CloseVerdict,
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
}

/** A completion that has ended: its settlement and its row are written together or not at all. */
export type Ending = { id: CompletionId; accountId: AccountId; outcome: Outcome }

export type Admissions = GroupCommit<Admission, ReserveVerdict>
export type Endings = GroupCommit<Ending, CloseVerdict>

export type CommitLimits = { maxBatch: number; maxQueued: number; timeoutMs: number }

export function createAdmissions(db: Database, limits: CommitLimits): Admissions {
  return createGroupCommit<Admission, ReserveVerdict>({
    ...common,
    ...limits,
    commit: async (admissions) => {
      const row = await one(db, admitStatement(admissions))
      return admissions.map((_, i) => reserveVerdictAt(row, i))
    },
  })
}

export function createEndings(db: Database, limits: CommitLimits): Endings {
  return createGroupCommit<Ending, CloseVerdict>({
    ...common,
    ...limits,
    commit: async (endings) => {
      const row = await one(db, endStatement(endings))
      return endings.map((_, i) => closeVerdictAt(row, i))
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

function admitStatement(admissions: readonly Admission[]): RawBuilder<AppliedRow> {
  const operations = admissions.map(({ id, accountId, quote }): Operation => ({
    kind: 'reserve',
    accountId,
    completionId: id,
    amount: quote,
  }))
  return sql<AppliedRow>`
    select applied.verdict, applied.figure, applied.other, store.insert_completions(
      (select array_agg(v = 0 order by n) from unnest(applied.verdict) with ordinality as each(v, n)),
      ${admissions.map(({ id }) => uuidOf(id))}::uuid[],
      ${admissions.map(({ accountId }) => uuidOf(accountId))}::uuid[],
      ${admissions.map(({ keyId }) => uuidOf(keyId))}::uuid[],
      ${admissions.map(({ model }) => model)}::text[],
      ${admissions.map(({ stream }) => stream)}::boolean[],
      ${admissions.map(({ deadlineAt }) => new Date(deadlineAt).toISOString())}::timestamptz[])
    from ${applyCall(operations)} as applied`
}

function endStatement(endings: readonly Ending[]): RawBuilder<AppliedRow> {
  const operations = endings.map(({ id, accountId, outcome }): Operation =>
    outcome.cost > 0n || outcome.state === 'completed'
      ? { kind: 'settle', accountId, completionId: id, cost: outcome.cost }
      : { kind: 'release', accountId, completionId: id },
  )
  const outcomes = endings.map(({ outcome }) => outcome)
  const ids = endings.map(({ id }) => uuidOf(id))
  // Without its reservation a completion is not ended: no row has the id null.
  return sql<AppliedRow>`
    select applied.verdict, applied.figure, applied.other, store.end_completions(
      (select array_agg(case when v <> 3 then id end order by n)
        from unnest(applied.verdict, ${ids}::uuid[]) with ordinality as each(v, id, n)),
      ${outcomes.map(({ state }) => state)}::text[],
      ${outcomes.map(({ servedBy }) => servedBy ?? null)}::text[],
      ${outcomes.map(({ error }) => error?.code ?? null)}::text[],
      ${outcomes.map(({ usage }) => usage.inputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.cachedInputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.outputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.source)}::text[],
      applied.figure)
    from ${applyCall(operations)} as applied`
}
