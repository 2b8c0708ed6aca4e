import { type AccountId, type KeyId, type RateLimits, accountIdOf, keyIdOf, newKeyId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Page } from './accounts.ts'
import { digestOf, hintOf, newKeySecret } from './key-secret.ts'
import { type RateLimitRow, rateLimitsOf } from './rate-limits.ts'
import type { StoreTables } from './tables.ts'

export type ApiKey = { id: KeyId; name: string; hint: string; createdAt: Date; revokedAt: Date | null }

/** Who is asking, and how much of the service was decided for them, where it was. */
export type Identity = {
  accountId: AccountId
  keyId: KeyId
  limits?: { account: RateLimits; key: RateLimits } | undefined
}

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
        .selectFrom('store.api_key as k')
        .leftJoin('store.rate_limit as a', (on) =>
          on.onRef('a.account_id', '=', 'k.account_id').on('a.key_id', 'is', null),
        )
        .leftJoin('store.rate_limit as o', (on) =>
          on.onRef('o.account_id', '=', 'k.account_id').onRef('o.key_id', '=', 'k.id'),
        )
        .select(['k.id', 'k.account_id'])
        .select([
          sql<RateLimitRow | null>`to_json(a)`.as('of_account'),
          sql<RateLimitRow | null>`to_json(o)`.as('of_key'),
        ])
        .where('k.digest', '=', digestOf(pepper, secret))
        .where('k.revoked_at', 'is', null)
        .executeTakeFirst()
      if (!row) return undefined
      const identity = { accountId: accountIdOf(row.account_id), keyId: keyIdOf(row.id) }
      if (!row.of_account && !row.of_key) return identity
      const limitsIn = (limits: RateLimitRow | null) => (limits ? rateLimitsOf(limits) : {})
      return { ...identity, limits: { account: limitsIn(row.of_account), key: limitsIn(row.of_key) } }
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
