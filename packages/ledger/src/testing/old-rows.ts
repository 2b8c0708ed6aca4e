import { type AccountId, actionIdOf, completionIdOf, grantIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import type { EntryKind } from '../tables.ts'
import { type AccountRows, refOf } from './rows.ts'

const micros = (column: string) => sql`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`

/** All that stands in the old books of an account, as the new ones must have it. */
export async function oldRowsOf(db: Database, accountId: AccountId): Promise<unknown> {
  const id = uuidOf(accountId)
  const read = async <Row>(query: RawBuilder<Row>) => (await query.execute(db)).rows

  // An account with nothing but a free completion had no row.
  const [account] = await read(sql`
    select coalesce(balance, 0) as balance, coalesce(held, 0) as held, 0::bigint as "heldBefore", null as "beforeAt",
      coalesce(sequence, 0) as sequence, 0::bigint as version, false as frozen, 'refuse' as shortage, null as "lastAt"
    from (values (${id}::uuid)) asked(id) left join ledger.account using (id)`)
  const grants = await read(sql<{ id: string }>`
    select id, kind, 100 as priority, null as "expiresAt", amount, balance, null as "revokedAt", balance = 0 as closed,
      ${micros('created_at')} as "createdAt"
    from ledger.credit_grant where account_id = ${id} order by id`)
  const actions = await read(sql<{ id: string }>`
    select id, 'grant' as kind, reference, null as "completionId", amount as moved, ${micros('created_at')} as "createdAt"
    from ledger.credit_grant where account_id = ${id} order by created_at`)
  const reservations = await read(sql<{ id: string }>`
    select id, null as "keyId", amount as quote, amount, 0 as counted, state, captured,
      case when state <> 'open' then captured + coalesce(
        (select u.amount from ledger.entry u where u.ref = r.id and u.kind = 'uncollected'), 0) end as cost,
      ${micros('created_at')} as "createdAt", ${micros('closed_at')} as "closedAt"
    from ledger.reservation r where account_id = ${id} order by id`)
  const entries = await read(sql<{ kind: EntryKind; ref: string; grantId: string | null }>`
    select sequence, kind, ref, grant_id as "grantId", case kind when 'grant' then amount else -amount end as amount,
      balance_after as "balanceAfter", ${micros('created_at')} as "createdAt"
    from ledger.entry where account_id = ${id} order by sequence`)

  return {
    account,
    grants: grants.map((row) => ({ ...row, id: grantIdOf(row.id) })),
    actions: actions.map((row) => ({ ...row, id: actionIdOf(row.id), grantId: grantIdOf(row.id) })),
    reservations: reservations.map((row) => ({ ...row, id: completionIdOf(row.id) })),
    entries: entries.map(({ kind, ref, grantId, ...row }) => {
      return { ...row, kind, ref: refOf(kind, ref), grantId: grantId && grantIdOf(grantId) }
    }),
    spends: [],
  } satisfies Record<keyof AccountRows, unknown>
}
