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
import { sql } from 'kysely'
import type { EntryKind, GrantKind, LedgerTables } from './tables.ts'

export type Grant = {
  id: GrantId
  kind: GrantKind
  priority: number
  amount: Microcredits
  balance: Microcredits
  /** The name under which it was given; its own id's UUID where none was said. */
  reference: string
  expiresAt: Date | null
  revokedAt: Date | null
  createdAt: Date
}

export type Entry = {
  sequence: number
  kind: EntryKind
  /** What came in is positive, what went out negative; `uncollected` is a memo of what could not be taken. */
  amount: Microcredits
  grantId: GrantId | null
  completionId: CompletionId | null
  actionId: ActionId | null
  /** Of the grant, after this entry. */
  balanceAfter: Microcredits | null
  /** Of the action. */
  reason: string | null
  createdAt: Date
}

/** The grants and the entries of accounts, for reading. */
export function createMovements(database: Database) {
  const db = database.withTables<LedgerTables>()
  const grants = () =>
    db
      .selectFrom('ledger.credit_grant as g')
      .leftJoin('ledger.action as given', (join) =>
        join
          .onRef('given.grant_id', '=', 'g.id')
          .onRef('given.account_id', '=', 'g.account_id')
          .on('given.kind', 'in', ['grant', 'adjust']),
      )
      .selectAll('g')
      .select('given.reference')

  return {
    /** Newest first. */
    async grantsOf(accountId: AccountId, page: { limit: number; after?: GrantId | undefined }): Promise<Grant[]> {
      const rows = await grants()
        .where('g.account_id', '=', uuidOf(accountId))
        .$if(page.after !== undefined, (query) => query.where('g.id', '<', uuidOf(page.after!)))
        .orderBy('g.id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(grantOf)
    },

    /** Those that hold credits which can be spent, in the order they are drawn. */
    async spendableGrantsOf(accountId: AccountId): Promise<Grant[]> {
      const rows = await grants()
        .where('g.account_id', '=', uuidOf(accountId))
        .where('g.closed', '=', false)
        .where(sql<boolean>`coalesce(least(g.expires_at, g.revoked_at) > ledger.clock(), true)`)
        .orderBy('g.priority')
        .orderBy('g.expires_at', (order) => order.asc().nullsLast())
        .orderBy(sql`g.kind_rank`)
        .orderBy('g.id')
        .execute()
      return rows.map(grantOf)
    },

    /** The grant that an amendment gave. */
    async grantOfAction(actionId: ActionId): Promise<Grant | undefined> {
      const row = await grants().where('given.id', '=', uuidOf(actionId)).executeTakeFirst()
      return row && grantOf(row)
    },

    /** Grants that ended and still hold credits, the earliest end first, without the first `skip`: for `expire`. */
    async endedGrants(limit: number, skip = 0): Promise<{ accountId: AccountId; grantId: GrantId }[]> {
      const { rows } = await sql<{ id: string; account_id: string }>`
        select id, account_id from ledger.credit_grant
        where not closed and least(expires_at, revoked_at) <= ledger.clock()
        order by least(expires_at, revoked_at), id limit ${limit} offset ${skip}`.execute(db)
      return rows.map((row) => ({ accountId: accountIdOf(row.account_id), grantId: grantIdOf(row.id) }))
    },

    /** Newest first; `before` is the sequence of the last entry of the page before. */
    async entriesOf(
      accountId: AccountId,
      page: { limit: number; before?: number | undefined; completionId?: CompletionId | undefined },
    ): Promise<Entry[]> {
      const rows = await db
        .selectFrom('ledger.entry as e')
        .leftJoin('ledger.action as action', 'action.id', 'e.ref')
        .selectAll('e')
        .select(['action.reason', 'action.completion_id as refunded'])
        .where('e.account_id', '=', uuidOf(accountId))
        .$if(page.before !== undefined, (query) => query.where('e.sequence', '<', BigInt(page.before!)))
        .$if(page.completionId !== undefined, (query) => query.where(ofCompletion(page.completionId!)))
        .orderBy('e.sequence', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(entryOf)
    },
  }
}

/** Its own entries and those of its refunds, as a list of refs: an `or` would read all entries of the account. */
const ofCompletion = (id: CompletionId) => sql<boolean>`e.ref = any(array(
  select ${uuidOf(id)}::uuid
  union all select refund.id from ledger.action refund where refund.completion_id = ${uuidOf(id)}::uuid))`

const isOfCompletion = (kind: EntryKind): boolean => kind === 'charge' || kind === 'uncollected'

function entryOf(row: {
  sequence: bigint
  kind: EntryKind
  ref: string
  grant_id: string | null
  amount: bigint
  balance_after: bigint | null
  reason: string | null
  refunded: string | null
  created_at: Date
}): Entry {
  const completion = isOfCompletion(row.kind) ? row.ref : row.refunded
  return {
    sequence: Number(row.sequence),
    kind: row.kind,
    amount: row.amount,
    grantId: row.grant_id === null ? null : grantIdOf(row.grant_id),
    completionId: completion === null ? null : completionIdOf(completion),
    actionId: isOfCompletion(row.kind) ? null : actionIdOf(row.ref),
    balanceAfter: row.balance_after,
    reason: row.reason,
    createdAt: row.created_at,
  }
}

function grantOf(row: {
  id: string
  kind: GrantKind
  priority: number
  amount: bigint
  balance: bigint
  reference: string | null
  expires_at: Date | null
  revoked_at: Date | null
  created_at: Date
}): Grant {
  const { id, kind, priority, amount, balance, reference } = row
  return {
    id: grantIdOf(id),
    kind,
    priority,
    amount,
    balance,
    reference: reference ?? id,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    createdAt: row.created_at,
  }
}
