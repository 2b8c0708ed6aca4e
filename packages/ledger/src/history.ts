import {
  type AccountId,
  type ActionId,
  type CompletionId,
  type GrantId,
  type Microcredits,
  accountIdOf,
  actionIdOf,
  completionIdOf,
  grantIdOf,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type Selectable, sql } from 'kysely'
import type { ActionKind, LedgerTables } from './tables.ts'

/** What was done to an account other than by a completion: what it moved is positive when it came in. */
export type Action = {
  id: ActionId
  accountId: AccountId
  kind: ActionKind
  moved: Microcredits
  reference: string
  grantId: GrantId | null
  completionId: CompletionId | null
  actor: string
  reason: string | null
  createdAt: Date
}

export type LedgerHistory = ReturnType<typeof createLedgerHistory>

/** So many entries are added up in one statement, which keeps each of them short. */
const SUMMED_AT_ONCE = 100_000

/** What the books remember beyond balances and entries: actions, and how things stood at a time. */
export function createLedgerHistory(database: Database) {
  const db = database.withTables<LedgerTables>()

  return {
    async actionOf(id: ActionId): Promise<Action | undefined> {
      const row = await db.selectFrom('ledger.action').selectAll().where('id', '=', uuidOf(id)).executeTakeFirst()
      return row && actionFrom(row)
    },

    /** What was done under a reference; expiries have names of their own. */
    async actionUnder(accountId: AccountId, reference: string): Promise<Action | undefined> {
      const row = await db
        .selectFrom('ledger.action')
        .selectAll()
        .where('account_id', '=', uuidOf(accountId))
        .where('reference', '=', reference)
        .where('kind', '<>', 'expire')
        .executeTakeFirst()
      return row && actionFrom(row)
    },

    /** Newest first. */
    async actionsOf(accountId: AccountId, page: { limit: number; after?: ActionId | undefined }): Promise<Action[]> {
      const rows = await db
        .selectFrom('ledger.action')
        .selectAll()
        .where('account_id', '=', uuidOf(accountId))
        .$if(page.after !== undefined, (query) => query.where('id', '<', uuidOf(page.after!)))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(actionFrom)
    },

    /** The sequence of an account's last entry before a time; 0 when there is none. The time of entries never runs back. */
    async lastEntryBefore(accountId: AccountId, time: Date): Promise<number> {
      const account = uuidOf(accountId)
      const newest = await sql<{ sequence: bigint }>`
        select sequence from ledger.account where id = ${account}`.execute(db)
      let [before, after] = [0, Number(newest.rows[0]?.sequence ?? 0) + 1]
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2)
        const { rows } = await sql<{ is_before: boolean }>`
          select created_at < ${time.toISOString()} as is_before from ledger.entry
          where account_id = ${account} and sequence <= ${middle} order by sequence desc limit 1`.execute(db)
        if (rows[0]?.is_before ?? true) before = middle
        else after = middle
      }
      return before
    },

    /** What all entries up to one come to, archived ones included. */
    async balanceAfter(accountId: AccountId, sequence: number): Promise<Microcredits> {
      const account = uuidOf(accountId)
      const archived = await sql<{ moved: bigint }>`
        select coalesce(sum(moved), 0)::bigint as moved from ledger.archived_month where account_id = ${account}`.execute(
        db,
      )
      let balance = archived.rows[0]!.moved
      for (let from = 0; from < sequence; from += SUMMED_AT_ONCE) {
        const to = Math.min(from + SUMMED_AT_ONCE, sequence)
        const { rows } = await sql<{ moved: bigint }>`
          select coalesce(sum(amount), 0)::bigint as moved from ledger.entry
          where account_id = ${account} and sequence > ${from} and sequence <= ${to} and kind <> 'uncollected'`.execute(
          db,
        )
        balance += rows[0]!.moved
      }
      return balance
    },

    /** From when on the entries of an account are in the books; those of the months before are archived. */
    async keptSince(accountId: AccountId): Promise<Date | undefined> {
      const { rows } = await sql<{ since: Date | null }>`
        select (max(month) + interval '1 month') at time zone 'UTC' as since from ledger.archived_month
        where account_id = ${uuidOf(accountId)}`.execute(db)
      return rows[0]?.since ?? undefined
    },
  }
}

const actionFrom = (row: Selectable<LedgerTables['ledger.action']>): Action => ({
  id: actionIdOf(row.id),
  accountId: accountIdOf(row.account_id),
  kind: row.kind,
  moved: row.moved,
  reference: row.reference,
  grantId: row.grant_id === null ? null : grantIdOf(row.grant_id),
  completionId: row.completion_id === null ? null : completionIdOf(row.completion_id),
  actor: row.actor,
  reason: row.reason,
  createdAt: row.created_at,
})
