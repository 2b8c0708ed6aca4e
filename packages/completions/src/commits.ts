import { type AccountId, type CompletionId, type Microcredits, writtenIn } from '@weir/contracts'
import {
  type AppliedRow,
  type CloseVerdict,
  type Committed,
  type GroupCommit,
  closeVerdictAt,
  createGroupCommit,
} from '@weir/ledger'
import { type Database, isDependencyError, isUnreachable } from '@weir/runtime'
import type { RawBuilder } from 'kysely'
import { type Admission, type AdmissionVerdict, admissionVerdictAt, admitStatement } from './admit-statement.ts'
import { type Ending, endStatement } from './end-statement.ts'

export type { Admission, AdmissionVerdict, IdempotencyKey } from './admit-statement.ts'
export type { Ending } from './end-statement.ts'

export type Admissions = GroupCommit<Admission, AdmissionVerdict>
export type Endings = GroupCommit<Ending, CloseVerdict>

export type CommitLimits = { maxBatch: number; maxQueued: number; timeoutMs: number }
export type AdmissionOptions = CommitLimits & {
  onCommitted?: (batch: Committed<AdmissionVerdict>) => void
  /** A reservation is expected to have ended, or to have been extended, after so long. */
  leaseMs: number
  /** After so long an idempotency key is free again. */
  idempotencyMs: number
}
export type EndingOptions = CommitLimits & {
  onCommitted?: (batch: Committed<CloseVerdict>) => void
  /** Told when a completion cost more than its account could pay. */
  onUncollected?: (amount: Microcredits, id: CompletionId) => void
}

export function createAdmissions(db: Database, { leaseMs, idempotencyMs, ...limits }: AdmissionOptions): Admissions {
  return createGroupCommit<Admission, AdmissionVerdict>({
    ...common,
    ...limits,
    weightOf: ({ kept }) => kept?.job.length ?? 0,
    maxBatchWeight: MAX_BATCH_CHARACTERS,
    // Whether the first of two with one idempotency key was let in must be known before the second one is answered.
    keyOf: ({ id, accountId, idempotency }) => (idempotency ? `${accountId} ${idempotency.key}` : id),
    commit: async (admissions) => {
      const row = await one(db, admitStatement(admissions, { leaseMs, idempotencyMs }))
      return admissions.map((_, i) => admissionVerdictAt(row, i))
    },
  })
}

export function createEndings(db: Database, { onUncollected, ...limits }: EndingOptions): Endings {
  return createGroupCommit<Ending, CloseVerdict>({
    ...common,
    ...limits,
    weightOf: ({ outcome }) => outcome.choices.reduce((sum, choice) => sum + writtenIn(choice).length, 0),
    maxBatchWeight: MAX_BATCH_CHARACTERS,
    keyOf: ({ id }) => id,
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

/** What is kept is as long as requests and answers are; a statement must not be. */
const MAX_BATCH_CHARACTERS = 8_388_608

const common = {
  // Accounts are locked and their operations applied in this order: that of their UUIDs, which the ids keep.
  orderOf: ({ accountId }: { accountId: AccountId }) => accountId,
  isTransient: (error: unknown) => isDependencyError(error) || isUniqueViolation(error),
  neverArrived: isUnreachable,
}

/** The batch itself, still committing on a connection that we lost, can be ahead of its own repetition. */
const isUniqueViolation = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === '23505'

async function one<Row extends AppliedRow>(db: Database, statement: RawBuilder<Row>): Promise<Row> {
  const { rows } = await statement.execute(db)
  return rows[0]!
}
