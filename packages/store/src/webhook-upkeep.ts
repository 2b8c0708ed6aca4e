import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { BATCH, inBatches } from './in-batches.ts'

/**
 * Removes deliveries with their attempts, and events, once they are as old as is kept. What still waits stays until it
 * has ended. Any number of processes may call it.
 */
export async function forgetWebhooks(
  db: Database,
  { retentionMs, signal }: { retentionMs: number; signal: AbortSignal },
): Promise<{ deliveries: number; events: number }> {
  const old = sql`store.uuid_at(clock_timestamp() - ${retentionMs}::float8 * interval '1 ms')`
  const deliveries = await inBatches(signal, () =>
    sql`delete from store.webhook_delivery where id in (
        select id from store.webhook_delivery where id < ${old} and state <> 'pending'
        order by id limit ${BATCH} for update skip locked)`.execute(db),
  )
  const events = await inBatches(signal, () =>
    sql`delete from store.webhook_event where id in (
        select v.id from store.webhook_event v
        where v.id < ${old} and not exists (select from store.webhook_delivery d where d.event_id = v.id)
        order by v.id limit ${BATCH} for update skip locked)`.execute(db),
  )
  // Of targets that nothing was sent to since.
  await inBatches(signal, () =>
    sql`delete from store.webhook_failing where target_id in (
        select target_id from store.webhook_failing
        where last_at < clock_timestamp() - ${retentionMs}::float8 * interval '1 ms'
        limit ${BATCH} for update skip locked)`.execute(db),
  )
  return { deliveries, events }
}
