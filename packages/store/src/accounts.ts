import { type AccountId, accountIdOf, newAccountId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import type { StoreTables } from './tables.ts'

export type Account = { id: AccountId; name: string; createdAt: Date }
export type Page<Id> = { limit: number; after?: Id | undefined }

export type AccountStore = ReturnType<typeof createAccountStore>

export function createAccountStore(database: Database) {
  const db = database.withTables<StoreTables>()

  return {
    async create(name: string): Promise<Account> {
      const row = await db
        .insertInto('store.account')
        .values({ id: uuidOf(newAccountId()), name })
        .returningAll()
        .executeTakeFirstOrThrow()
      return accountOf(row)
    },

    async find(id: AccountId): Promise<Account | undefined> {
      const row = await db.selectFrom('store.account').selectAll().where('id', '=', uuidOf(id)).executeTakeFirst()
      return row && accountOf(row)
    },

    /** Newest first. */
    async list({ limit, after }: Page<AccountId>): Promise<Account[]> {
      const rows = await db
        .selectFrom('store.account')
        .selectAll()
        .$if(after !== undefined, (query) => query.where('id', '<', uuidOf(after!)))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(accountOf)
    },
  }
}

const accountOf = (row: { id: string; name: string; created_at: Date }): Account => ({
  id: accountIdOf(row.id),
  name: row.name,
  createdAt: row.created_at,
})
