import { type AccountId, type CompletionId, type KeyId, type Microcredits, type PriceId, uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'
import type { LimitPeriod } from './tables.ts'

type OnCompletion = { accountId: AccountId; completionId: CompletionId }

/** Sets the most a completion can cost aside. Asking again for the same completion changes nothing. */
export type Reserve = OnCompletion & {
  kind: 'reserve'
  quote: Microcredits
  /** An account that clamps accepts a reservation of less, down to this. By default the whole quote. */
  least?: Microcredits | undefined
  keyId?: KeyId | undefined
  priceId?: PriceId | undefined
}
/** Keeps a reservation for another lease, and raises it to `amount` where that is more than is set aside. */
export type Extend = OnCompletion & { kind: 'extend'; amount?: Microcredits | undefined }
/** Pays what was used and returns the rest. */
export type Settle = OnCompletion & { kind: 'settle'; cost: Microcredits }
/** Returns all: because nothing is to be paid, or because nobody ended it in time. */
export type Release = OnCompletion & { kind: 'release' | 'expire' }
export type Operation = Reserve | Extend | Settle | Release

type Refused =
  | { kind: 'insufficient_credits'; available: Microcredits; reserved: Microcredits }
  | { kind: 'key_limit_exceeded'; period: LimitPeriod; available: Microcredits }
  | { kind: 'account_frozen' }

/** `amount` is what is set aside: less than the quote only where the account clamps. */
export type ReserveVerdict = { kind: 'reserved'; amount: Microcredits } | { kind: 'conflict' } | Refused

export type ExtendVerdict =
  | { kind: 'extended'; amount: Microcredits }
  | { kind: 'already_closed' | 'not_found' }
  | Refused

/** What the account paid and what could not be collected, whether just now or when the reservation first ended. */
export type CloseVerdict =
  | { kind: 'closed' | 'already_closed'; charged: Microcredits; uncollected: Microcredits }
  | { kind: 'not_found' }

const codeOf = { reserve: 1, settle: 2, release: 3, expire: 4, extend: 5 } as const
const limitPeriods: readonly LimitPeriod[] = ['day', 'month', 'total']

function amountOf(op: Operation): bigint {
  switch (op.kind) {
    case 'reserve':
      return op.quote
    case 'extend':
      return op.amount ?? 0n
    case 'settle':
      return op.cost
    default:
      return 0n
  }
}

/**
 * The call of `ledger.apply` for a batch, as a table expression with one row of arrays by position: `verdict`, `figure`,
 * `other`, `version` and `decided_at`. A statement may join it with the rows that must be written in the same transaction.
 * A reservation that is made or extended is expected to end within `leaseMs`. Operations at the positions where `skip`, a
 * boolean array, is true are not done; their verdict is that there is no such reservation.
 */
export function applyCall(
  ops: readonly Operation[],
  leaseMs: number,
  skip?: RawBuilder<unknown>,
): RawBuilder<AppliedRow> {
  const codes = sql`${ops.map(({ kind }) => codeOf[kind])}::smallint[]`
  const op = skip
    ? sql`array(select case when s then 0 else o end from unnest(${codes}, ${skip}) with ordinality t(o, s, n) order by n)::smallint[]`
    : codes
  const account = ops.map(({ accountId }) => uuidOf(accountId))
  const id = ops.map(({ completionId }) => uuidOf(completionId))
  const amount = ops.map(amountOf)
  const least = ops.map((op) => (op.kind === 'reserve' ? (op.least ?? op.quote) : 0n))
  const key = ops.map((op) => (op.kind === 'reserve' && op.keyId ? uuidOf(op.keyId) : null))
  const price = ops.map((op) => (op.kind === 'reserve' && op.priceId ? uuidOf(op.priceId) : null))
  return sql`ledger.apply(
    ${op}, ${account}::uuid[], ${id}::uuid[], ${amount}::bigint[], ${least}::bigint[], ${key}::uuid[],
    ${price}::uuid[], ${leaseMs}::float8 * interval '1 ms')`
}

/** How many batches had changed an account before this one is its `version`. */
export type AppliedRow = { verdict: number[]; figure: bigint[]; other: bigint[]; version: bigint[] }

export function reserveVerdictAt(row: AppliedRow, i: number): ReserveVerdict {
  switch (row.verdict[i]) {
    case 0:
    case 1:
      return { kind: 'reserved', amount: row.figure[i]! }
    case 4:
      return { kind: 'conflict' }
    default:
      return refusalAt(row, i)
  }
}

export function extendVerdictAt(row: AppliedRow, i: number): ExtendVerdict {
  switch (row.verdict[i]) {
    case 0:
      return { kind: 'extended', amount: row.figure[i]! }
    case 3:
      return { kind: 'not_found' }
    case 7:
      return { kind: 'already_closed' }
    default:
      return refusalAt(row, i)
  }
}

export function closeVerdictAt(row: AppliedRow, i: number): CloseVerdict {
  switch (row.verdict[i]) {
    case 0:
      return { kind: 'closed', charged: row.figure[i]!, uncollected: row.other[i]! }
    case 1:
      return { kind: 'already_closed', charged: row.figure[i]!, uncollected: row.other[i]! }
    case 3:
      return { kind: 'not_found' }
    default:
      throw new Error(`ledger.apply answered ${row.verdict[i]} to the end of a reservation`)
  }
}

function refusalAt({ verdict, figure, other }: AppliedRow, i: number): Refused {
  switch (verdict[i]) {
    case 2:
      return { kind: 'insufficient_credits', available: figure[i]!, reserved: other[i]! }
    case 5:
      return { kind: 'key_limit_exceeded', period: limitPeriods[Number(other[i]) - 1]!, available: figure[i]! }
    case 6:
      return { kind: 'account_frozen' }
    default:
      throw new Error(`ledger.apply answered ${verdict[i]} to a reservation`)
  }
}
