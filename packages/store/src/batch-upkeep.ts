import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { BATCH, inBatches } from './in-batches.ts'

/**
 * Removes the lines of batches whose results have lapsed or were deleted, a bounded number at a time. The batch itself stays,
 * as its completions do: the books can be explained by it. Any number of processes may call it.
 */
export async function sweepBatches(db: Database, { signal }: { signal: AbortSignal }): Promise<{ lines: number }> {
  const lines = await inBatches(signal, () =>
    sql`delete from store.batch_item where (batch_id, line) in (
      select i.batch_id, i.line from store.batch b join store.batch_item i on i.batch_id = b.id
      where b.ended_at is not null
        and (b.deleted_at is not null or b.state = 'failed' or b.dry_run
          or b.ended_at + b.results_kept_ms * interval '1 ms' < clock_timestamp())
      limit ${BATCH} for update of i skip locked)`.execute(db),
  )
  return { lines }
}
