import {
  type AccountId,
  type CompletionId,
  type GrantId,
  type Microcredits,
  completionIdOf,
  grantIdOf,
  newGrantId,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { EntryKind, GrantKind, LedgerTables } from './tables.ts'

export type Balance = { balance: Microcredits; reserved: Microcredits; available: Microcredits }

export type Grant = {
  id: GrantId
  kind: GrantKind
  amount: Microcredits
  balance: Microcredits
  reference: string | null
  createdAt: Date
}

export type Entry = {
  sequence: number
  kind: EntryKind
  /** What came in is positive, a charge is negative; `uncollected` is a memo of what could not be taken and moves nothing. */
  amount: Microcredits
  grantId: GrantId | null
  completionId: CompletionId | null
  /** Of the grant, after this entry. */
  balanceAfter: Microcredits | null
  createdAt: Date
}

export type GiveRequest = {
  accountId: AccountId
  kind: GrantKind
  amount: Microcredits
  reference?: string | undefined
}

export type Ledger = ReturnType<typeof createLedger>

/** The books of all accounts: what they were given, what they have, every movement. */
export function createLedger(database: Database) {
  const db = database.withTables<LedgerTables>()

  return {
    /** An account that was never given credits has none. */
    async balanceOf(accountId: AccountId): Promise<Balance> {
      const row = await db
        .selectFrom('ledger.account')
        .select(['balance', 'held'])
        .where('id', '=', uuidOf(accountId))
        .executeTakeFirst()
      const { balance, held } = row ?? { balance: 0n, held: 0n }
      return { balance, reserved: held, available: balance - held }
    },

    /** Gives credits. Giving again with the same reference returns the grant that was given the first time. */
    async give(request: GiveRequest): Promise<{ grant: Grant; repeated: boolean }> {
      const { accountId, kind, amount, reference = null } = request
      const { rows } = await sql<{ given: string; repeated: boolean }>`
        select * from ledger.give(
          ${uuidOf(accountId)}::uuid, ${uuidOf(newGrantId())}::uuid, ${kind}::text, ${amount}::bigint, ${reference}::text)
      `.execute(db)
      const { given, repeated } = rows[0]!
      const grant = await db
        .selectFrom('ledger.credit_grant')
        .selectAll()
        .where('id', '=', given)
        .executeTakeFirstOrThrow()
      return { grant: grantOf(grant), repeated }
    },

    /** Newest first. */
    async grantsOf(accountId: AccountId, page: { limit: number; after?: GrantId | undefined }): Promise<Grant[]> {
      const rows = await db
        .selectFrom('ledger.credit_grant')
        .selectAll()
        .where('account_id', '=', uuidOf(accountId))
        .$if(page.after !== undefined, (query) => query.where('id', '<', uuidOf(page.after!)))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(grantOf)
    },

    /** Newest first; `before` is the sequence of the last entry of the page before. */
    async entriesOf(accountId: AccountId, page: { limit: number; before?: number | undefined }): Promise<Entry[]> {
      const rows = await db
        .selectFrom('ledger.entry')
        .selectAll()
        .where('account_id', '=', uuidOf(accountId))
        .$if(page.before !== undefined, (query) => query.where('sequence', '<', BigInt(page.before!)))
        .orderBy('sequence', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map((row) => ({
        sequence: Number(row.sequence),
        kind: row.kind,
        amount: row.kind === 'charge' ? -row.amount : row.amount,
        grantId: row.grant_id === null ? null : grantIdOf(row.grant_id),
        completionId: row.kind === 'grant' ? null : completionIdOf(row.ref),
        balanceAfter: row.balance_after,
        createdAt: row.created_at,
      }))
    },
  }
}

function grantOf(row: {
  id: string
  kind: GrantKind
  amount: bigint
  balance: bigint
  reference: string | null
  created_at: Date
}): Grant {
  const { id, kind, amount, balance, reference, created_at } = row
  return { id: grantIdOf(id), kind, amount, balance, reference, createdAt: created_at }
}
