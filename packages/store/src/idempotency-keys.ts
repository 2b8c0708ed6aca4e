import { type AccountId, type CompletionId, completionIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type IdempotencyKeys = ReturnType<typeof createIdempotencyKeys>

export function createIdempotencyKeys(db: Database, { ttlMs }: { ttlMs: number }) {
  return {
    /**
     * Which completion a key has made, and whether it was asked the same. Undefined when the key is free: `store.claim_keys`
     * decides by the same rule who gets it.
     */
    async holderOf(
      accountId: AccountId,
      { key, digest }: { key: string; digest: Buffer },
    ): Promise<{ by: CompletionId; isSame: boolean } | undefined> {
      const { rows } = await sql<{ completion_id: string; is_same: boolean }>`
        select t.completion_id, t.digest = ${digest} as is_same from store.idempotency_key t
        where t.account_id = ${uuidOf(accountId)} and t.key = ${key}
          and t.created_at >= clock_timestamp() - ${ttlMs}::float8 * interval '1 ms'
          and not store.key_is_free(t.completion_id)`.execute(db)
      const [row] = rows
      return row && { by: completionIdOf(row.completion_id), isSame: row.is_same }
    },
  }
}
