import { type AccountId, completionIdOf, grantIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import type { EntryKind, GrantKind } from '../tables.ts'

type BalanceRow = { account_id: string; balance: bigint; held: bigint; sequence: bigint }
type GrantRow = { account_id: string; id: string; kind: GrantKind; amount: bigint; balance: bigint }
type ReservationRow = { account_id: string; id: string; amount: bigint; captured: bigint; state: string }
type EntryRow = {
  account_id: string
  sequence: bigint
  kind: EntryKind
  ref: string
  grant_id: string | null
  amount: bigint
  balance_after: bigint | null
}

/** All that stands in the books of each account, but for times. */
export async function rowsOf(db: Database, accountIds: readonly AccountId[]) {
  const asked = sql`any(${accountIds.map(uuidOf)}::uuid[])`
  const byAccount = async <Row extends { account_id: string }>(query: RawBuilder<Row>) =>
    Map.groupBy((await query.execute(db)).rows, ({ account_id }) => account_id)

  const [balances, grants, reservations, entries] = await Promise.all([
    byAccount(sql<BalanceRow>`
      select id as account_id, balance, held, sequence from ledger.account where id = ${asked}`),
    byAccount(sql<GrantRow>`
      select account_id, id, kind, amount, balance from ledger.credit_grant where account_id = ${asked} order by id`),
    byAccount(sql<ReservationRow>`
      select account_id, id, amount, captured, state from ledger.reservation where account_id = ${asked} order by id`),
    byAccount(sql<EntryRow>`
      select account_id, sequence, kind, ref, grant_id, amount, balance_after from ledger.entry
      where account_id = ${asked} order by sequence`),
  ])

  return accountIds.map(uuidOf).map((account) => {
    const { balance, held, sequence } = balances.get(account)?.[0] ?? { balance: 0n, held: 0n, sequence: 0n }
    return {
      balance: { balance, held, sequence },
      grants: (grants.get(account) ?? []).map(({ id, kind, amount, balance }) => {
        return { id: grantIdOf(id), kind, amount, balance }
      }),
      reservations: (reservations.get(account) ?? []).map(({ id, amount, captured, state }) => {
        return { id: completionIdOf(id), amount, captured, state }
      }),
      entries: (entries.get(account) ?? []).map(({ sequence, kind, ref, grant_id, amount, balance_after }) => ({
        sequence,
        kind,
        ref: kind === 'grant' ? grantIdOf(ref) : completionIdOf(ref),
        grantId: grant_id && grantIdOf(grant_id),
        amount,
        balanceAfter: balance_after,
      })),
    }
  })
}
