import { type Database, isDependencyError } from '@weir/runtime'
import { sql } from 'kysely'
import { type GroupCommit, createGroupCommit } from '../group-commit.ts'
import {
  type AppliedRow,
  type CloseVerdict,
  type ExtendVerdict,
  type Operation,
  type ReserveVerdict,
  applyCall,
  closeVerdictAt,
  extendVerdictAt,
  reserveVerdictAt,
} from '../operations.ts'
import type { Micros } from './model/books.ts'

export type Verdict = ReserveVerdict | ExtendVerdict | CloseVerdict

/**
 * One operation as it was decided, and whether it changed anything. The first one of each account in a batch tells how many
 * batches had changed that account before.
 */
export type Decided = { op: Operation; verdict: Verdict; version: bigint; at: Micros; changed: boolean }

/** Patient enough for a busy machine: no test waits for it to run out. */
export const PATIENCE_MS = 60_000

/** Longer than any test runs. */
const LEASE_MS = 600_000

/** Sends exactly this batch, in this order, and tells all that was said about it. */
export async function decideBatch(db: Database, ops: readonly Operation[]): Promise<Decided[]> {
  const { rows } = await sql<AppliedRow & { decided: bigint[] }>`
    select verdict, figure, other, version,
      array(select (extract(epoch from t.at) * 1000000)::bigint from unnest(decided_at) with ordinality t(at, i) order by i)
        as decided
    from ${applyCall(ops, LEASE_MS)} as applied`.execute(db)
  const row = rows[0]!
  return ops.map((op, i) => {
    const changed = row.verdict[i] === 0
    return { op, verdict: verdictAt(op, row, i), version: row.version[i]!, at: row.decided[i]!, changed }
  })
}

export async function applyBatch(db: Database, ops: readonly Operation[]): Promise<Verdict[]> {
  return (await decideBatch(db, ops)).map(({ verdict }) => verdict)
}

/** As a batch must have them. Those of one account stay as they came. */
export function inOrderOfAccounts(ops: readonly Operation[]): Operation[] {
  return ops.toSorted((a, b) => (a.accountId < b.accountId ? -1 : a.accountId > b.accountId ? 1 : 0))
}

function verdictAt(op: Operation, row: AppliedRow, i: number): Verdict {
  if (op.kind === 'reserve') return reserveVerdictAt(row, i)
  return op.kind === 'extend' ? extendVerdictAt(row, i) : closeVerdictAt(row, i)
}

type LaneOptions = { maxBatch?: number; commit?: typeof applyBatch; onFailure?: (error: unknown) => void }

/** What one process does with its operations: group commits, on connections of its own. */
export function createLane(db: Database, options: LaneOptions = {}): GroupCommit<Operation, Verdict> {
  const { maxBatch = 500, commit = applyBatch, onFailure } = options
  return createGroupCommit<Operation, Verdict>({
    commit: (ops) =>
      commit(db, ops).catch((error: unknown) => {
        onFailure?.(error)
        throw error
      }),
    keyOf: ({ completionId }) => completionId,
    orderOf: ({ accountId }) => accountId,
    isTransient: isDependencyError,
    maxBatch,
    maxQueued: 100_000,
    timeoutMs: PATIENCE_MS,
  })
}

/** A lane that notes every batch it commits, and every failure. */
export function createNotingLane(
  db: Database,
  notes: { batches: Decided[][]; failures: string[] },
  maxBatch: number,
): GroupCommit<Operation, Verdict> {
  return createLane(db, {
    maxBatch,
    onFailure: (error) => notes.failures.push(String(error)),
    commit: async (db, ops) => {
      const batch = await decideBatch(db, ops)
      notes.batches.push(batch)
      return batch.map(({ verdict }) => verdict)
    },
  })
}
