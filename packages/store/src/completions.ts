import { type AccountId, type CompletionId, accountIdOf, completionIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type Kysely, sql } from 'kysely'
import type { Page } from './accounts.ts'
import type { StoreTables } from './tables.ts'

/** An accepted completion whose end is not yet known to Postgres. */
export type OpenCompletion = { id: CompletionId; accountId: AccountId; deadlineAt: Date; ofBatch: boolean }

export type CompletionStore = ReturnType<typeof createCompletionStore>

/** Any number distinct from other advisory locks of ours. */
const SWEEP_LOCK = 7_730_001

export function createCompletionStore(database: Database) {
  const db = database.withTables<StoreTables>()

  return {
    /**
     * Looks once at every completion that is older than `afterMs`, and from then on follows those that had not ended. Any
     * number of processes may call it: one looks, the others need not.
     */
    async followOpen(afterMs: number): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const lock = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${SWEEP_LOCK}) as locked`.execute(
          tx,
        )
        if (lock.rows[0]!.locked) await followNew(tx, afterMs)
      })
    },

    /** The followed completions that have still not ended, oldest first. */
    async openOnes({ limit, after }: Page<CompletionId>): Promise<OpenCompletion[]> {
      const rows = await db
        .selectFrom('store.watched_completion as watched')
        .innerJoin('store.completion as completion', 'completion.id', 'watched.id')
        .select(['completion.id', 'completion.account_id', 'completion.deadline_at', 'completion.of_batch'])
        .where('completion.state', '=', 'queued')
        .$if(after !== undefined, (query) => query.where('watched.id', '>', uuidOf(after!)))
        .orderBy('watched.id')
        .limit(limit)
        .execute()
      return rows.map(openCompletionOf)
    },
  }
}

/**
 * Ids are UUIDv7, so "made before T" is a range of the primary key. The range begins a while before the last one ended:
 * a replica whose clock is behind, or a commit that came late, falls into the overlap.
 */
async function followNew(db: Kysely<StoreTables>, afterMs: number): Promise<void> {
  await sql`
    with bounds as (
      select seen_until - interval '5 minutes' as since, clock_timestamp() - ${afterMs}::float8 * interval '1 ms' as until
      from store.watch_cursor
    ), followed as (
      insert into store.watched_completion (id)
      select c.id from store.completion c, bounds
      where c.id >= store.uuid_at(bounds.since) and c.id < store.uuid_at(bounds.until) and c.state = 'queued'
      on conflict do nothing
    )
    update store.watch_cursor set seen_until = greatest(seen_until, bounds.until) from bounds
  `.execute(db)
  await sql`
    delete from store.watched_completion w using store.completion c where c.id = w.id and c.state <> 'queued'
  `.execute(db)
}

const openCompletionOf = (row: {
  id: string
  account_id: string
  deadline_at: Date
  of_batch: boolean
}): OpenCompletion => ({
  id: completionIdOf(row.id),
  accountId: accountIdOf(row.account_id),
  deadlineAt: row.deadline_at,
  ofBatch: row.of_batch,
})
