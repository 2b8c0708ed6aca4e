import { type AccountId, type BatchId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Page } from './accounts.ts'
import { type Batch, type BatchRow, type BatchState, batchOf } from './batch-record.ts'

/** `open`: those that have not ended; `paused`: those of them that wait for something that only their owner can mend. */
export type BatchFilter = { accountId?: AccountId | undefined; state?: BatchState | 'open' | 'paused' | undefined }

export type BatchOverview = ReturnType<typeof createBatchOverview>

/** Batches of all accounts, for who operates them. What was deleted is not there. */
export function createBatchOverview(db: Database) {
  return {
    /** Newest first. */
    async list({ accountId, state }: BatchFilter, { limit, after }: Page<BatchId>): Promise<Batch[]> {
      const conditions = [
        sql`deleted_at is null`,
        ...(accountId ? [sql`account_id = ${uuidOf(accountId)}`] : []),
        ...(state ? [standing(state)] : []),
        ...(after ? [sql`id < ${uuidOf(after)}`] : []),
      ]
      const { rows } = await sql<BatchRow>`
        select * from store.batch where ${sql.join(conditions, sql` and `)} order by id desc limit ${limit}`.execute(db)
      return rows.map(batchOf)
    },

    async find(id: BatchId): Promise<Batch | undefined> {
      const { rows } = await sql<BatchRow>`
        select * from store.batch where id = ${uuidOf(id)} and deleted_at is null`.execute(db)
      return rows[0] && batchOf(rows[0])
    },
  }
}

/** Those that are open are found among few: an index has them alone. */
function standing(state: BatchState | 'open' | 'paused') {
  if (state === 'open') return sql`ended_at is null`
  if (state === 'paused') return sql`ended_at is null and paused_for is not null`
  return sql`state = ${state}`
}
