import {
  type AccountId,
  type CompletionId,
  type Microcredits,
  completionIdOf,
  newAccountId,
  newCompletionId,
  uuidOf,
} from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { type Database, isDependencyError, openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { type GroupCommit, createGroupCommit } from '../group-commit.ts'
import { createLedger } from '../ledger.ts'
import {
  type CloseVerdict,
  type Operation,
  type ReserveVerdict,
  applyCall,
  closeVerdictAt,
  reserveVerdictAt,
} from '../operations.ts'
import type { GrantKind } from '../tables.ts'
import { faultsOf } from './faults.ts'

export type Verdict = ReserveVerdict | CloseVerdict
export type LedgerFixture = Awaited<ReturnType<typeof openLedgerFixture>>

/** Patient enough for a busy machine: no test waits for it to run out. */
const PATIENCE_MS = 60_000

/** The books in a database of their own. */
export async function openLedgerFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const connect = (max = 1) => openDatabase(url, { max, timeoutMs: PATIENCE_MS, onError: () => {} })
  const db = resources.use(connect(8))
  const ledger = createLedger(db)
  const apply = (...ops: Operation[]) => applyBatch(db, ops)
  const one = async (op: Operation) => (await apply(op))[0]!

  const opened = resources.move()
  return {
    db,
    connect,
    apply,
    ...ledger,
    reserve: (accountId: AccountId, amount: Microcredits, completionId = newCompletionId()) =>
      one({ kind: 'reserve', accountId, completionId, amount }) as Promise<ReserveVerdict>,
    settle: (accountId: AccountId, completionId: CompletionId, cost: Microcredits) =>
      one({ kind: 'settle', accountId, completionId, cost }) as Promise<CloseVerdict>,
    release: (accountId: AccountId, completionId: CompletionId) =>
      one({ kind: 'release', accountId, completionId }) as Promise<CloseVerdict>,
    /** A new account with one grant of each amount, in this order. */
    async accountWith(...grants: (Microcredits | [GrantKind, Microcredits])[]): Promise<AccountId> {
      const accountId = newAccountId()
      for (const grant of grants) {
        const [kind, amount] = typeof grant === 'bigint' ? (['purchased', grant] as const) : grant
        await ledger.give({ accountId, kind, amount })
      }
      return accountId
    },
    /** A new completion with so much reserved. */
    async reserved(accountId: AccountId, amount: Microcredits): Promise<CompletionId> {
      const completionId = newCompletionId()
      const verdict = await one({ kind: 'reserve', accountId, completionId, amount })
      if (verdict.kind !== 'reserved') throw new Error(`the reservation was answered ${verdict.kind}`)
      return completionId
    },
    async available(accountId: AccountId): Promise<Microcredits> {
      return (await ledger.balanceOf(accountId)).available
    },
    /** All entries, oldest first. */
    async entries(accountId: AccountId) {
      return (await ledger.entriesOf(accountId, { limit: 1_000 })).reverse()
    },
    /** All reservations of an account, oldest first. */
    async reservations(accountId: AccountId) {
      const { rows } = await sql<{ id: string; amount: bigint; captured: bigint; state: string }>`
        select id, amount, captured, state from ledger.reservation
        where account_id = ${uuidOf(accountId)} order by id`.execute(db)
      return rows.map((row) => ({ ...row, id: completionIdOf(row.id) }))
    },
    faults: (...accountIds: AccountId[]) => faultsOf(db, accountIds),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Sends exactly this batch, in this order. */
export async function applyBatch(db: Database, ops: readonly Operation[]): Promise<Verdict[]> {
  const { rows } = await sql<{ verdict: number[]; figure: bigint[]; other: bigint[] }>`
    select * from ${applyCall(ops)} as applied`.execute(db)
  return ops.map((op, i) => (op.kind === 'reserve' ? reserveVerdictAt(rows[0]!, i) : closeVerdictAt(rows[0]!, i)))
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
