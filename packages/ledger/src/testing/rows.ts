import {
  type AccountId,
  type ActionId,
  type CompletionId,
  actionIdOf,
  completionIdOf,
  grantIdOf,
  keyIdOf,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import type { ActionKind, EntryKind, GrantKind, LimitPeriod, ReservationState, Shortage } from '../tables.ts'

/** Times in microseconds, as fine as Postgres has them; what lies before all times is null. */
const micros = (column: string) =>
  sql<
    bigint | null
  >`case when isfinite(${sql.ref(column)}) then (extract(epoch from ${sql.ref(column)}) * 1000000)::bigint end`

const isOfCompletion = (kind: EntryKind) => kind === 'charge' || kind === 'uncollected'
export const refOf = (kind: EntryKind, ref: string): CompletionId | ActionId =>
  isOfCompletion(kind) ? completionIdOf(ref) : actionIdOf(ref)

export type AccountRows = Awaited<ReturnType<typeof rowsOf>>[number]

/** All that stands in the books of each account, or undefined for one that is not in them. */
export async function rowsOf(db: Database, accountIds: readonly AccountId[]) {
  const asked = sql`any(${accountIds.map(uuidOf)}::uuid[])`
  const byAccount = async <Row>(query: RawBuilder<Row & { account_id: string }>) =>
    Map.groupBy((await query.execute(db)).rows, ({ account_id }) => account_id)

  const [accounts, grants, reservations, entries, actions, spends] = await Promise.all([
    byAccount(accountRows(asked)),
    byAccount(grantRows(asked)),
    byAccount(reservationRows(asked)),
    byAccount(entryRows(asked)),
    byAccount(actionRows(asked)),
    byAccount(spendRows(asked)),
  ])
  return accountIds.map((accountId) => {
    const of = <Row extends { account_id: string }>(rows: Map<string, Row[]>) =>
      (rows.get(uuidOf(accountId)) ?? []).map(({ account_id: _, ...row }) => row)
    return {
      account: of(accounts)[0],
      grants: of(grants).map((row) => ({ ...row, id: grantIdOf(row.id) })),
      reservations: of(reservations).map(({ key, ...row }) => {
        return { ...row, id: completionIdOf(row.id), keyId: key === null ? null : keyIdOf(key) }
      }),
      entries: of(entries).map(({ ref, grant, ...row }) => {
        return { ...row, ref: refOf(row.kind, ref), grantId: grant === null ? null : grantIdOf(grant) }
      }),
      actions: of(actions).map(({ grant, completion, ...row }) => ({
        ...row,
        id: actionIdOf(row.id),
        grantId: grant === null ? null : grantIdOf(grant),
        completionId: completion === null ? null : completionIdOf(completion),
      })),
      spends: of(spends).map(({ key, ...row }) => ({ ...row, keyId: keyIdOf(key) })),
    }
  })
}

type Asked = RawBuilder<unknown>

const accountRows = (asked: Asked) => sql<{
  account_id: string
  balance: bigint
  held: bigint
  heldBefore: bigint
  beforeAt: bigint | null
  sequence: bigint
  version: bigint
  frozen: boolean
  shortage: Shortage
  lastAt: bigint | null
}>`
  select id as account_id, balance, held, held_before as "heldBefore", ${micros('before_at')} as "beforeAt", sequence,
    version, frozen, shortage, ${micros('last_at')} as "lastAt"
  from ledger.account where id = ${asked}`

const grantRows = (asked: Asked) => sql<{
  account_id: string
  id: string
  kind: GrantKind
  priority: number
  expiresAt: bigint | null
  amount: bigint
  balance: bigint
  revokedAt: bigint | null
  closed: boolean
  createdAt: bigint
}>`
  select account_id, id, kind, priority, ${micros('expires_at')} as "expiresAt", amount, balance,
    ${micros('revoked_at')} as "revokedAt", closed, ${micros('created_at')} as "createdAt"
  from ledger.credit_grant where account_id = ${asked} order by id`

const reservationRows = (asked: Asked) => sql<{
  account_id: string
  id: string
  key: string | null
  quote: bigint
  amount: bigint
  counted: number
  state: ReservationState
  cost: bigint | null
  captured: bigint
  createdAt: bigint
  closedAt: bigint | null
}>`
  select account_id, id, key_id as key, quote, amount, counted, state, cost, captured,
    ${micros('created_at')} as "createdAt", ${micros('closed_at')} as "closedAt"
  from ledger.reservation where account_id = ${asked} order by id`

const entryRows = (asked: Asked) => sql<{
  account_id: string
  sequence: bigint
  kind: EntryKind
  ref: string
  grant: string | null
  amount: bigint
  balanceAfter: bigint | null
  createdAt: bigint
}>`
  select account_id, sequence, kind, ref, grant_id as grant, amount, balance_after as "balanceAfter",
    ${micros('created_at')} as "createdAt"
  from ledger.entry where account_id = ${asked} order by sequence`

const actionRows = (asked: Asked) => sql<{
  account_id: string
  id: string
  kind: ActionKind
  reference: string | null
  grant: string | null
  completion: string | null
  moved: bigint
  createdAt: bigint
}>`
  select account_id, id, kind, case when reference = id::text then null else reference end as reference,
    grant_id as grant, completion_id as completion, moved, ${micros('created_at')} as "createdAt"
  from ledger.action where account_id = ${asked} order by created_at`

const spendRows = (asked: Asked) => sql<{
  account_id: string
  key: string
  period: LimitPeriod
  startsAt: bigint | null
  held: bigint
  spent: bigint
}>`
  select account_id, key_id as key, period, ${micros('starts_at')} as "startsAt", held, spent
  from ledger.key_spend where account_id = ${asked} order by key_id, period, starts_at`
