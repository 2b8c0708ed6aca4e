import { type AccountId, type CompletionId, type Microcredits, uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'

/** Sets the most a completion can cost aside. Asking again for the same completion changes nothing. */
export type Reserve = { kind: 'reserve'; accountId: AccountId; completionId: CompletionId; amount: Microcredits }
/** Pays what was used and returns the rest. */
export type Settle = { kind: 'settle'; accountId: AccountId; completionId: CompletionId; cost: Microcredits }
/** Returns all. */
export type Release = { kind: 'release'; accountId: AccountId; completionId: CompletionId }
export type Operation = Reserve | Settle | Release

export type ReserveVerdict =
  | { kind: 'reserved' }
  | { kind: 'insufficient_credits'; available: Microcredits; reserved: Microcredits }
  | { kind: 'conflict' }

/** `charged` is what the account paid, whether just now or when the reservation first ended. */
export type CloseVerdict =
  | { kind: 'closed'; charged: Microcredits; uncollected: Microcredits }
  | { kind: 'already_closed'; charged: Microcredits }
  | { kind: 'not_found' }

const codeOf = { reserve: 1, settle: 2, release: 3 } as const
const amountOf = (op: Operation): bigint => (op.kind === 'reserve' ? op.amount : op.kind === 'settle' ? op.cost : 0n)

/**
 * The call of `ledger.apply` for a batch, as a table expression with one row: `verdict`, `figure` and `other`, arrays by
 * position. A statement may join it with the rows that must be written in the same transaction.
 */
export function applyCall(ops: readonly Operation[]): RawBuilder<AppliedRow> {
  const op = ops.map(({ kind }) => codeOf[kind])
  const account = ops.map(({ accountId }) => uuidOf(accountId))
  const id = ops.map(({ completionId }) => uuidOf(completionId))
  const amount = ops.map(amountOf)
  return sql`ledger.apply(${op}::smallint[], ${account}::uuid[], ${id}::uuid[], ${amount}::bigint[])`
}

export type AppliedRow = { verdict: number[]; figure: bigint[]; other: bigint[] }

export function reserveVerdictAt(row: AppliedRow, i: number): ReserveVerdict {
  switch (row.verdict[i]) {
    case 0:
    case 1:
      return { kind: 'reserved' }
    case 2:
      return { kind: 'insufficient_credits', available: row.figure[i]!, reserved: row.other[i]! }
    case 4:
      return { kind: 'conflict' }
    default:
      throw new Error(`ledger.apply answered ${row.verdict[i]} to a reserve`)
  }
}

export function closeVerdictAt(row: AppliedRow, i: number): CloseVerdict {
  switch (row.verdict[i]) {
    case 0:
      return { kind: 'closed', charged: row.figure[i]!, uncollected: row.other[i]! }
    case 1:
      return { kind: 'already_closed', charged: row.figure[i]! }
    case 3:
      return { kind: 'not_found' }
    default:
      throw new Error(`ledger.apply answered ${row.verdict[i]} to the end of a reservation`)
  }
}
