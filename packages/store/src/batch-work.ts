import { type AccountId, type BatchId, type FileId, type Microcredits, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import { type Batch, type BatchError, type BatchRow, type PausedFor, batchOf } from './batch-record.ts'
import { storableJson } from './storable.ts'

export type Turn = { served: readonly AccountId[]; busy: readonly AccountId[] }
const noTurn: Turn = { served: [], busy: [] }

export type BatchWork = ReturnType<typeof createBatchWork>

/** What the workers do to batches, from validating to the end. Each step is taken once, whoever takes it. */
export function createBatchWork(db: Database) {
  /**
   * One batch that waits for a kind of work, and is nobody else's for `leaseMs`: of the account that was served longest ago
   * (`served` names accounts in that order), and of none that is `busy`.
   */
  async function take(what: RawBuilder<unknown>, leaseMs: number, turn: Turn): Promise<Batch | undefined> {
    const [served, busy] = [turn.served, turn.busy].map((accounts) => accounts.map(uuidOf))
    const { rows } = await sql<BatchRow>`
      update store.batch set held_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      where id = (
        select id from store.batch
        where ended_at is null and held_until <= clock_timestamp() and ${what} and account_id <> all(${busy}::uuid[])
        order by array_position(${served}::uuid[], account_id) nulls first, id limit 1 for update skip locked)
      returning *`.execute(db)
    return rows[0] && batchOf(rows[0])
  }

  return {
    /** One that is cancelled meanwhile is validated all the same: its results tell of every line. */
    toValidate: (leaseMs: number, turn: Turn = noTurn) => take(isUnbegun, leaseMs, turn),
    toFinalize: (leaseMs: number, turn: Turn = noTurn) => take(isRunOut, leaseMs, turn),

    /** Whether it still waits to be begun, or to be finished: then it is nobody else's for `leaseMs` from now. */
    async holds(id: BatchId, until: 'begun' | 'finished', leaseMs: number): Promise<boolean> {
      const { numAffectedRows } = await sql`
        update store.batch set held_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
        where id = ${uuidOf(id)} and ${until === 'begun' ? isUnbegun : isRunOut}`.execute(db)
      return numAffectedRows === 1n
    },

    /** Its lines lie there as items, but for `bad` ones all as they should be. One that only asks for an estimate has come to its end. */
    async begin(
      id: BatchId,
      { lines, bad, quote }: { lines: number; bad: number; quote: Microcredits },
    ): Promise<void> {
      const good = lines - bad
      await sql`
        with begun as (
          update store.batch
          set state = case when state = 'cancelling' then state when dry_run then 'completed' else 'in_progress' end,
              total = ${lines}, failed = ${bad}, quote = ${quote},
              pending = case when dry_run then 0 else ${good}::int end,
              cancelled = case when dry_run then ${good}::int else 0 end,
              in_progress_at = clock_timestamp(),
              ended_at = case when dry_run and state = 'validating' then clock_timestamp() end,
              held_until = '-infinity'
          where id = ${uuidOf(id)} and ${isUnbegun} returning *
        )
        select ${emitted(sql`'batch.' || state`)} from begun where state <> 'cancelling' having count(*) > 0`.execute(
        db,
      )
    },

    /** Its input is not as it should be: nothing of it runs. */
    async refuse(id: BatchId, errors: readonly BatchError[]): Promise<void> {
      await sql`
        with refused as (
          update store.batch
          set state = case state when 'cancelling' then 'cancelled' else 'failed' end,
              errors = ${storableJson(errors)}::jsonb, ended_at = clock_timestamp()
          where id = ${uuidOf(id)} and ${isUnbegun} returning *
        )
        select ${inlineInputGone}, ${emitted(sql`'batch.' || state`)} from refused having count(*) > 0`.execute(db)
    },

    /** Not fed until then. When it begins to pause for something it says so. */
    async pause(id: BatchId, why: PausedFor, pauseMs: number): Promise<void> {
      await sql`
        with before as (select id, paused_for from store.batch where id = ${uuidOf(id)} for no key update),
        paused as (
          update store.batch b
          set paused_for = ${why}, paused_at = case when before.paused_for = ${why} then b.paused_at else clock_timestamp() end,
              held_until = clock_timestamp() + ${pauseMs}::float8 * interval '1 ms'
          from before where b.id = before.id and b.state = 'in_progress'
          returning b.*, before.paused_for is distinct from ${why} as is_news
        )
        select ${emitted(sql`'batch.paused'::text`)} from paused where is_news having count(*) > 0`.execute(db)
    },

    /** Not fed for a moment, without a word. */
    async hold(id: BatchId, pauseMs: number): Promise<void> {
      await sql`
        update store.batch set held_until = clock_timestamp() + ${pauseMs}::float8 * interval '1 ms'
        where id = ${uuidOf(id)} and state = 'in_progress'`.execute(db)
    },

    /** Time, cancels and revoked keys: ends the lines that nothing runs for, and lets those finish that have none left. */
    async turnOver(): Promise<void> {
      await sql`
        update store.batch set ends_as = 'expired'
        where id in (
          select id from store.batch
          where ended_at is null and ends_as is null and expires_at <= clock_timestamp()
            -- One that is still validated tells of all its lines first, unless that has come to nothing.
            and (state = 'in_progress' or state = 'validating' and expires_at <= clock_timestamp() - interval '1 hour')
          for update skip locked)`.execute(db)
      await sql`
        update store.batch set state = 'cancelling', ends_as = 'cancelled', cancelling_at = clock_timestamp(),
          held_until = '-infinity', paused_for = null, paused_at = null, errors = ${JSON.stringify([keyRevoked])}::jsonb
        where id in (
          select b.id from store.batch b join store.api_key k on k.id = b.key_id
          where b.ended_at is null and b.state in ('validating', 'in_progress') and k.revoked_at is not null
          for update of b skip locked)`.execute(db)
      await sql`
        select store.close_items(id, null, ends_as, null) from store.batch
        where ended_at is null and ends_as in ('expired', 'cancelled') and pending > 0 order by id`.execute(db)
      await sql`
        update store.batch
        set state = 'finalizing', ends_as = coalesce(ends_as, 'completed'), finalizing_at = clock_timestamp(),
            held_until = '-infinity', paused_for = null, paused_at = null
        where id in (
          select id from store.batch
          where ended_at is null and pending + running = 0
            and (state = 'in_progress' or state = 'validating' and ends_as = 'expired') for update skip locked)`.execute(
        db,
      )
    },

    /** Batches that have not ended, by what is done with them, and their lines. */
    async standing(): Promise<Record<'pending' | 'running' | 'fed' | 'paused' | 'waiting', number>> {
      const { rows } = await sql<Record<'pending' | 'running' | 'fed' | 'paused' | 'waiting', number>>`
        select coalesce(sum(pending), 0)::int as pending, coalesce(sum(running), 0)::int as running,
          count(*) filter (where paused_for is not null)::int as paused,
          count(*) filter (where paused_for is null and state = 'in_progress')::int as fed,
          count(*) filter (where state <> 'in_progress')::int as waiting
        from store.batch where ended_at is null`.execute(db)
      return rows[0]!
    },

    /** Its results lie in these files, which are there from now on. */
    async finish(id: BatchId, files: { output: FileId | undefined; errors: FileId | undefined }): Promise<void> {
      const [output, errors] = [files.output, files.errors].map((file) => (file ? uuidOf(file) : null))
      await sql`
        with ended as (
          update store.batch
          set state = ends_as, ended_at = clock_timestamp(), output_file_id = ${output}, error_file_id = ${errors}
          where id = ${uuidOf(id)} and ${isRunOut}
          returning *
        )
        select store.publish_files(array_remove(array[${output}::uuid, ${errors}::uuid], null)),
          ${inlineInputGone}, ${emitted(sql`'batch.' || state`)}
        from ended having count(*) > 0`.execute(db)
    },
  }
}

const isUnbegun = sql`in_progress_at is null and state in ('validating', 'cancelling')`
const isRunOut = sql`pending + running = 0 and (state = 'finalizing' or state = 'cancelling' and in_progress_at is not null)`

const keyRevoked: BatchError = {
  code: 'key_revoked',
  message: 'The API key that made this batch was revoked. What had run by then is charged; nothing more of it runs.',
}

/** Requests that came inline lie in a file that nobody else sees. */
const inlineInputGone = sql`store.delete_files(array_agg(input_file_id) filter (where dialect = 'anthropic'))`

/** Tells whoever wants to know how batches stand. One that only asks for an estimate is waited for by who asked. */
const emitted = (type: RawBuilder<unknown>) => {
  const of = (value: RawBuilder<unknown>) => sql`array_agg(${value}) filter (where not dry_run)`
  return sql`store.emit_events(${of(sql`account_id`)}, ${of(type)}, ${of(sql`id`)}, ${of(sql`webhook_url`)})`
}
