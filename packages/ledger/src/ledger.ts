import {
  type AccountId,
  type CompletionId,
  type KeyId,
  type Microcredits,
  type PriceId,
  accountIdOf,
  keyIdOf,
  priceIdOf,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type AmendOptions, type AmendVerdict, type Amendment, amend } from './amendments.ts'
import { createMovements } from './movements.ts'
import type { LedgerTables, LimitPeriod, ReservationState, Shortage } from './tables.ts'

/** `balance` is what unexpired grants hold, `available` what of it no open reservation has set aside. */
export type Balance = { balance: Microcredits; reserved: Microcredits; available: Microcredits }

export type AccountStatus = { frozen: boolean; shortage: Shortage }

export type Reservation = {
  id: CompletionId
  accountId: AccountId
  keyId: KeyId | null
  quote: Microcredits
  amount: Microcredits
  priceId: PriceId | null
  state: ReservationState
  cost: Microcredits | null
  charged: Microcredits
  createdAt: Date
  closedAt: Date | null
}

export type KeyLimit = { period: LimitPeriod; amount: Microcredits; spent: Microcredits; reserved: Microcredits }

export type Ledger = ReturnType<typeof createLedger>

/** The books of all accounts: what they have, what was done to them, and every movement (see `createMovements`). */
export function createLedger(database: Database, options: AmendOptions = { maxOpenGrants: 100 }) {
  const db = database.withTables<LedgerTables>()

  return {
    ...createMovements(database),

    /** An account that was never given credits has none. */
    async balanceOf(accountId: AccountId): Promise<Balance> {
      const { rows } = await sql<{ spendable: bigint; held: bigint }>`
        select a.held, (
          select coalesce(sum(g.balance), 0)::bigint from ledger.credit_grant g
          where g.account_id = a.id and not g.closed
            and (least(g.expires_at, g.revoked_at) > ledger.clock() or least(g.expires_at, g.revoked_at) is null)
        ) as spendable
        from ledger.account a where a.id = ${uuidOf(accountId)}`.execute(db)
      const { spendable, held } = rows[0] ?? { spendable: 0n, held: 0n }
      return { balance: spendable, reserved: held, available: spendable > held ? spendable - held : 0n }
    },

    async statusOf(accountId: AccountId): Promise<AccountStatus> {
      const row = await db
        .selectFrom('ledger.account')
        .select(['frozen', 'shortage'])
        .where('id', '=', uuidOf(accountId))
        .executeTakeFirst()
      return row ?? { frozen: false, shortage: 'refuse' }
    },

    /** What operators do: each in one transaction, once for its reference. */
    amend: (amendments: readonly Amendment[]): Promise<AmendVerdict[]> => amend(database, amendments, options),

    async setShortage(accountId: AccountId, shortage: Shortage): Promise<void> {
      await sql`select ledger.set_shortage(${uuidOf(accountId)}::uuid, ${shortage}::text)`.execute(db)
    },

    /** What a key may spend in a period, counted from now on; null takes the limit away. */
    async setKeyLimit(
      accountId: AccountId,
      keyId: KeyId,
      period: LimitPeriod,
      amount: Microcredits | null,
    ): Promise<void> {
      await sql`select ledger.set_key_limit(
        ${uuidOf(accountId)}::uuid, ${uuidOf(keyId)}::uuid, ${period}::text, ${amount}::bigint)`.execute(db)
    },

    /** The limits of a key, each with what counts against it in the present period. */
    async keyLimitsOf(accountId: AccountId, keyId: KeyId): Promise<KeyLimit[]> {
      const { rows } = await sql<{ period: LimitPeriod; amount: bigint; spent: bigint; held: bigint }>`
        select m.period, m.amount, coalesce(s.spent, 0) as spent, coalesce(s.held, 0) as held
        from ledger.key_limit m left join ledger.key_spend s
          on (s.account_id, s.key_id, s.period) = (m.account_id, m.key_id, m.period)
          and s.starts_at = ledger.period_start(m.period, ledger.clock())
        where m.account_id = ${uuidOf(accountId)} and m.key_id = ${uuidOf(keyId)}
        order by array_position('{day,month,total}', m.period)`.execute(db)
      return rows.map(({ held, ...row }) => ({ ...row, reserved: held }))
    },

    async reservationOf(id: CompletionId): Promise<Reservation | undefined> {
      const row = await db.selectFrom('ledger.reservation').selectAll().where('id', '=', uuidOf(id)).executeTakeFirst()
      return (
        row && {
          id,
          accountId: accountIdOf(row.account_id),
          keyId: row.key_id === null ? null : keyIdOf(row.key_id),
          quote: row.quote,
          amount: row.amount,
          priceId: row.price_id === null ? null : priceIdOf(row.price_id),
          state: row.state,
          cost: row.cost,
          charged: row.captured,
          createdAt: row.created_at,
          closedAt: row.closed_at,
        }
      )
    },
  }
}
