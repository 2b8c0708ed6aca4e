import { type AccountId, type KeyId, accountIdOf, keyIdOf, newKeyId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Page } from './accounts.ts'
import { digestOf, hintOf, newKeySecret } from './key-secret.ts'
import type { StoreTables } from './tables.ts'

export type ApiKey = { id: KeyId; name: string; hint: string; createdAt: Date; revokedAt: Date | null }

/** Who is asking. */
export type Identity = { accountId: AccountId; keyId: KeyId }

export type ApiKeyStore = ReturnType<typeof createApiKeyStore>

export function createApiKeyStore(database: Database, pepper: string) {
  const db = database.withTables<StoreTables>()

  return {
    /** The secret is returned here and nowhere else: only its hash is stored. */
    async create(accountId: AccountId, name: string): Promise<{ key: ApiKey; secret: string }> {
      const secret = newKeySecret()
      const row = await db
        .insertInto('store.api_key')
        .values({
          id: uuidOf(newKeyId()),
          account_id: uuidOf(accountId),
          name,
          digest: digestOf(pepper, secret),
          hint: hintOf(secret),
        })
        .returning(['id', 'name', 'hint', 'created_at', 'revoked_at'])
        .executeTakeFirstOrThrow()
      return { key: apiKeyOf(row), secret }
    },

    /** Newest first, revoked ones included. */
    async list(accountId: AccountId, { limit, after }: Page<KeyId>): Promise<ApiKey[]> {
      const rows = await db
        .selectFrom('store.api_key')
        .select(['id', 'name', 'hint', 'created_at', 'revoked_at'])
        .where('account_id', '=', uuidOf(accountId))
        .$if(after !== undefined, (query) => query.where('id', '<', uuidOf(after!)))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(apiKeyOf)
    },

    /** Undefined when the account has no such key; a revoked one is still found. */
    async find(accountId: AccountId, keyId: KeyId): Promise<ApiKey | undefined> {
      const row = await db
        .selectFrom('store.api_key')
        .select(['id', 'name', 'hint', 'created_at', 'revoked_at'])
        .where('id', '=', uuidOf(keyId))
        .where('account_id', '=', uuidOf(accountId))
        .executeTakeFirst()
      return row && apiKeyOf(row)
    },

    /** Revoking again changes nothing: the first time stands. Undefined when the account has no such key. */
    async revoke(accountId: AccountId, keyId: KeyId): Promise<ApiKey | undefined> {
      const row = await db
        .updateTable('store.api_key')
        .set({ revoked_at: sql<Date>`coalesce(revoked_at, clock_timestamp())` })
        .where('id', '=', uuidOf(keyId))
        .where('account_id', '=', uuidOf(accountId))
        .returning(['id', 'name', 'hint', 'created_at', 'revoked_at'])
        .executeTakeFirst()
      return row && apiKeyOf(row)
    },

    /** Whose secret this is, unless it is unknown or revoked. */
    async identify(secret: string): Promise<Identity | undefined> {
      const row = await db
        .selectFrom('store.api_key')
        .select(['id', 'account_id'])
        .where('digest', '=', digestOf(pepper, secret))
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return row && { accountId: accountIdOf(row.account_id), keyId: keyIdOf(row.id) }
    },
  }
}

const apiKeyOf = (row: {
  id: string
  name: string
  hint: string
  created_at: Date
  revoked_at: Date | null
}): ApiKey => ({
  id: keyIdOf(row.id),
  name: row.name,
  hint: row.hint,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})
