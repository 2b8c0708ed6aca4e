import {
  type AccountId,
  type KeyId,
  type RateLimitName,
  type RateLimits,
  rateLimitNames,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { StoreTables } from './tables.ts'

/** What is named changes: null takes a limit away. */
export type RateLimitChanges = { [Name in RateLimitName]?: number | null | undefined }

export type RateLimitStore = ReturnType<typeof createRateLimitStore>

/** What was decided for an account, or with a key's id for that key of it; the rest is as the settings say. */
export function createRateLimitStore(database: Database) {
  const db = database.withTables<StoreTables>()
  const ownedBy = (accountId: AccountId, keyId: KeyId | undefined) =>
    sql<boolean>`account_id = ${uuidOf(accountId)} and key_id is not distinct from ${keyId ? uuidOf(keyId) : null}::uuid`

  return {
    async find(accountId: AccountId, keyId?: KeyId): Promise<RateLimits> {
      const row = await db
        .selectFrom('store.rate_limit')
        .selectAll()
        .where(ownedBy(accountId, keyId))
        .executeTakeFirst()
      return row ? rateLimitsOf(row) : {}
    },

    async change(accountId: AccountId, keyId: KeyId | undefined, changes: RateLimitChanges): Promise<RateLimits> {
      return db.transaction().execute(async (tx) => {
        // One change at a time: two would each keep what the other has just taken away.
        await tx.selectFrom('store.account').select('id').where('id', '=', uuidOf(accountId)).forNoKeyUpdate().execute()
        const existing = await tx
          .selectFrom('store.rate_limit')
          .selectAll()
          .where(ownedBy(accountId, keyId))
          .executeTakeFirst()
        const limits = changed(existing ? rateLimitsOf(existing) : {}, changes)

        await tx.deleteFrom('store.rate_limit').where(ownedBy(accountId, keyId)).execute()
        if (Object.keys(limits).length > 0) {
          const owner = { account_id: uuidOf(accountId), key_id: keyId ? uuidOf(keyId) : null }
          await tx
            .insertInto('store.rate_limit')
            .values({ ...owner, ...rowOf(limits) })
            .execute()
        }
        return limits
      })
    },
  }
}

export type RateLimitRow = {
  concurrent: number | null
  queued: number | null
  requests_per_minute: number | null
  tokens_per_minute: number | null
}

/** Only the limits that there are. */
export function rateLimitsOf(row: RateLimitRow): RateLimits {
  return changed(
    {},
    {
      concurrent: row.concurrent,
      queued: row.queued,
      requestsPerMinute: row.requests_per_minute,
      tokensPerMinute: row.tokens_per_minute,
    },
  )
}

const rowOf = (limits: RateLimits): RateLimitRow => ({
  concurrent: limits.concurrent ?? null,
  queued: limits.queued ?? null,
  requests_per_minute: limits.requestsPerMinute ?? null,
  tokens_per_minute: limits.tokensPerMinute ?? null,
})

function changed(limits: RateLimits, changes: RateLimitChanges): RateLimits {
  const result: RateLimits = {}
  for (const name of rateLimitNames) {
    const limit = changes[name] === undefined ? limits[name] : changes[name]
    if (limit !== undefined && limit !== null) result[name] = limit
  }
  return result
}
