import { type AccountId, completionIdOf, grantIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import type { EntryKind, GrantKind } from '../tables.ts'

type BalanceRow = { balance: bigint; held: bigint; sequence: bigint }
type GrantRow = { id: string; kind: GrantKind; amount: bigint; balance: bigint }
type ReservationRow = { id: string; amount: bigint; captured: bigint; state: string }
type EntryRow = {
  sequence: bigint
  kind: EntryKind
  ref: string
  grant_id: string | null
  amount: bigint
  balance_after: bigint | null
}

/** All that stands in the books of an account, but for times. */
export async function rowsOf(db: Database, accountId: AccountId) {
  const id = uuidOf(accountId)
  const all = async <Row>(query: RawBuilder<Row>) => (await query.execute(db)).rows
  const [balance = { balance: 0n, held: 0n, sequence: 0n }] = await all(
    sql<BalanceRow>`select balance, held, sequence from ledger.account where id = ${id}`,
  )
  const grants = await all(
    sql<GrantRow>`select id, kind, amount, balance from ledger.credit_grant where account_id = ${id} order by id`,
  )
  const reservations = await all(
    sql<ReservationRow>`select id, amount, captured, state from ledger.reservation where account_id = ${id} order by id`,
  )
  const entries = await all(
    sql<EntryRow>`select sequence, kind, ref, grant_id, amount, balance_after from ledger.entry
      where account_id = ${id} order by sequence`,
  )
  return {
    balance,
    grants: grants.map((row) => ({ ...row, id: grantIdOf(row.id) })),
    reservations: reservations.map((row) => ({ ...row, id: completionIdOf(row.id) })),
    entries: entries.map(({ sequence, kind, ref, grant_id, amount, balance_after }) => ({
      sequence,
      kind,
      ref: kind === 'grant' ? grantIdOf(ref) : completionIdOf(ref),
      grantId: grant_id && grantIdOf(grant_id),
      amount,
      balanceAfter: balance_after,
    })),
  }
}
