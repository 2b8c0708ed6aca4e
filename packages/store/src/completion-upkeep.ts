import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { BATCH, inBatches } from './in-batches.ts'

/** Removes results and idempotency keys whose time is over, a bounded batch at a time. Any number of processes may call it. */
export async function forgetLapsed(
  db: Database,
  options: { idempotencyMs: number; signal: AbortSignal },
): Promise<{ results: number; keys: number }> {
  const results = await inBatches(options.signal, () =>
    sql`delete from store.kept_completion where id in (
      select id from store.kept_completion where keep_until < clock_timestamp()
      limit ${BATCH} for update skip locked)`.execute(db),
  )
  const keys = await inBatches(options.signal, () =>
    sql`delete from store.idempotency_key where (account_id, key) in (
      select account_id, key from store.idempotency_key
      where created_at < clock_timestamp() - ${options.idempotencyMs}::float8 * interval '1 ms'
      limit ${BATCH} for update skip locked)`.execute(db),
  )
  return { results, keys }
}
