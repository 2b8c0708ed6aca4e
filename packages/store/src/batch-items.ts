import { type BatchId, type CompletionId, type Microcredits, batchIdOf, completionIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type Batch, type BatchRow, batchOf } from './batch-record.ts'
import { storableJson } from './storable.ts'

/** A line of a batch as it lies in the input file. */
export type ItemPlace = { line: number; startByte: number; bytes: number }
export type NewItem = ItemPlace & { customId: string; error?: ItemError | undefined }

/** A line that a feeder is to admit, as this completion. */
export type ClaimedItem = ItemPlace & { batchId: BatchId; completionId: CompletionId; tries: number }

/** Why a line ended that no completion did. */
export type ItemError = { code: string; message: string; param?: string | undefined }

/** A line that has ended. `outcome` is the terminal record of its completion, for as long as that is kept. */
export type EndedItem = {
  line: number
  customId: string
  state: 'completed' | 'failed' | 'cancelled' | 'expired'
  tries: number
  completionId: CompletionId | undefined
  charged: Microcredits
  error: ItemError | undefined
  outcome: string | undefined
  model: string | undefined
}

/** How many lines each of these batches may begin now; what is not there begins none. */
export type ShareItems = (batches: readonly Batch[], room: number) => ReadonlyMap<BatchId, number>

export type BatchItems = ReturnType<typeof createBatchItems>

/** Any number distinct from other advisory locks of ours. */
const FEED_LOCK = 7_730_003

/** Batches that may be fed at once; of each account those of which the fewest lines run. */
const MOST_BATCHES = 1_000
const MOST_OF_ACCOUNT = 8
/** Of all lines that are claimed at once: whoever feeds them has read them. The last one may be more. */
const MOST_BYTES = 33_554_432

/** Between two looks for claims that have lapsed, while there is no room for others. */
const LAPSED_MS = 1_000

export function createBatchItems(database: Database) {
  const db = database.withTables<Record<never, never>>()
  let lookedForLapsedAt = -Infinity

  return {
    /** Lines that are there already stay as they are. */
    async add(batchId: BatchId, items: readonly NewItem[]): Promise<void> {
      await sql`
        insert into store.batch_item (batch_id, line, custom_id, start_byte, bytes, state, error, ended_at)
        select ${uuidOf(batchId)}, o.line, o.custom_id, o.start_byte, o.bytes,
          case when o.error is null then 'pending' else 'failed' end, o.error,
          case when o.error is null then null else clock_timestamp() end
        from unnest(${items.map(({ line }) => line)}::int[], ${items.map(({ customId }) => customId)}::text[],
            ${items.map(({ startByte }) => startByte)}::bigint[], ${items.map(({ bytes }) => bytes)}::int[],
            ${items.map(({ error }) => (error ? storableJson(error) : null))}::jsonb[])
          o(line, custom_id, start_byte, bytes, error)
        on conflict (batch_id, line) do nothing`.execute(db)
    },

    /**
     * Lines to be admitted, each nobody else's for `leaseMs`: those of feeders that were not heard of again, and as many
     * new ones as the window has room for, shared out by `share`. Empty while another feeder is at it.
     */
    async claim(
      { window, most, leaseMs }: { window: number; most: number; leaseMs: number },
      share: ShareItems,
    ): Promise<{ items: ClaimedItem[]; batches: Batch[] }> {
      return db.transaction().execute(async (tx) => {
        const { rows: locks } = await sql<{ locked: boolean }>`
          select pg_try_advisory_xact_lock(${FEED_LOCK}) as locked`.execute(tx)
        if (!locks[0]!.locked) return { items: [], batches: [] }

        const { rows: open } = await sql<BatchRow & { all_running: string }>`
          select b.*, (select sum(running) from store.batch where ended_at is null) as all_running
          from (
            select *, row_number() over (partition by account_id order by paused_for is not null, running, id) as place
            from store.batch b
            where ended_at is null and state = 'in_progress' and pending > 0 and held_until <= clock_timestamp()
              and expires_at > clock_timestamp()
              -- What others are just admitting has reserved nothing yet: who has a bound is fed by one at a time.
              and (max_cost is null or not exists (
                select from store.batch_item i where i.batch_id = b.id and i.state = 'claimed'))) b
          where place <= ${MOST_OF_ACCOUNT}::int
          order by place, running, id limit ${MOST_BATCHES}::int`.execute(tx)
        const feedable = open.map(batchOf)
        const room = Math.min(most, window - Number(open[0]?.all_running ?? 0))
        const shares = room > 0 ? [...share(feedable, room)] : []

        // Nothing to give out, and no time to look for what a feeder that died has left.
        if (shares.length === 0 && performance.now() - lookedForLapsedAt < LAPSED_MS)
          return { items: [], batches: feedable }
        lookedForLapsedAt = performance.now()
        const { rows } = await sql<ClaimedRow>`
          select * from store.claim_items(${shares.map(([id]) => uuidOf(id))}::uuid[],
            ${shares.map(([, n]) => n)}::int[], ${most}::int, ${MOST_BYTES}::bigint, ${leaseMs}::float8 * interval '1 ms')`.execute(
          tx,
        )
        const items = rows.map(claimedOf)
        const known = new Set(feedable.map(({ id }) => id))
        const others = [...new Set(items.map(({ batchId }) => batchId))].filter((id) => !known.has(id))
        if (others.length === 0) return { items, batches: feedable }
        const { rows: more } = await sql<BatchRow>`
          select * from store.batch where id = any(${others.map(uuidOf)}::uuid[])`.execute(tx)
        return { items, batches: [...feedable, ...more.map(batchOf)] }
      })
    },

    /** Ends lines that their feeder found wanting. */
    async fail(batchId: BatchId, items: readonly { line: number; error: ItemError }[]): Promise<void> {
      await sql`select store.close_items(${uuidOf(batchId)}, ${items.map(({ line }) => line)}::int[], 'failed',
        ${items.map(({ error }) => storableJson(error))}::jsonb[])`.execute(db)
    },

    /** Ends all lines that wait, of one that will not be fed any more. */
    async failRest(batchId: BatchId, error: ItemError): Promise<void> {
      await sql`select store.close_items(${uuidOf(batchId)}, null, 'failed', array[${storableJson(error)}]::jsonb[])`.execute(
        db,
      )
    },

    /** They could not be admitted now: as if nobody had claimed them, but not before `waitMs`. */
    async unclaim(batchId: BatchId, lines: readonly number[], waitMs: number): Promise<void> {
      await sql`select store.unclaim_items(${uuidOf(batchId)}, ${[...lines]}::int[],
        clock_timestamp() + ${waitMs}::float8 * interval '1 ms')`.execute(db)
    },

    /** Running lines of batches that were cancelled. */
    async toStop(limit: number): Promise<CompletionId[]> {
      const { rows } = await sql<{ completion_id: string }>`
        select i.completion_id from store.batch b join store.batch_item i on i.batch_id = b.id and i.state = 'running'
        where b.ended_at is null and b.state = 'cancelling' limit ${limit}`.execute(db)
      return rows.map((row) => completionIdOf(row.completion_id))
    },

    /** Lines that have ended, by their place in the input. */
    async ended(
      batchId: BatchId,
      { after, limit, states }: { after: number; limit: number; states: readonly EndedItem['state'][] },
    ): Promise<EndedItem[]> {
      const { rows } = await sql<EndedRow>`
        select i.line, i.custom_id, i.state, i.tries, i.completion_id, i.charged, i.error, k.outcome, c.model
        from (
          select * from store.batch_item
          where batch_id = ${uuidOf(batchId)} and line > ${after} and state = any(${states}::text[])
          order by line limit ${limit}) i
        left join store.kept_completion k on k.id = i.completion_id
        left join store.completion c on c.id = i.completion_id
        order by i.line`.execute(db)
      return rows.map(endedOf)
    },
  }
}

type ClaimedRow = {
  batch_id: string
  line: number
  completion_id: string
  start_byte: bigint
  bytes: number
  tries: number
}

const claimedOf = (row: ClaimedRow): ClaimedItem => ({
  batchId: batchIdOf(row.batch_id),
  line: row.line,
  completionId: completionIdOf(row.completion_id),
  startByte: Number(row.start_byte),
  bytes: row.bytes,
  tries: row.tries,
})

type EndedRow = {
  line: number
  custom_id: string
  state: EndedItem['state']
  tries: number
  completion_id: string | null
  charged: bigint
  error: ItemError | null
  outcome: string | null
  model: string | null
}

const endedOf = (row: EndedRow): EndedItem => ({
  line: row.line,
  customId: row.custom_id,
  state: row.state,
  tries: row.tries,
  completionId: row.completion_id === null ? undefined : completionIdOf(row.completion_id),
  charged: row.charged,
  error: row.error ?? undefined,
  outcome: row.outcome ?? undefined,
  model: row.model ?? undefined,
})
