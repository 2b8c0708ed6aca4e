import { type AccountId, type BatchId, newBatchId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type Batch, type BatchRow, batchOf } from './batch-record.ts'

export type NewBatch = Pick<
  Batch,
  | 'accountId'
  | 'keyId'
  | 'dialect'
  | 'endpoint'
  | 'inputFileId'
  | 'metadata'
  | 'webhookUrl'
  | 'dryRun'
  | 'maxCost'
  | 'maxTries'
  | 'resultsKeptMs'
> & {
  windowMs: number
  /** Lines of the input, where that is known already. */
  expectedLines?: number | undefined
  idempotency?: { key: string; digest: Buffer } | undefined
}

/** `held`: its idempotency key has made another one, which was asked the same or not. */
export type CreatedBatch =
  | { kind: 'created'; batch: Batch }
  | { kind: 'held'; batch: Batch; isSame: boolean }
  | { kind: 'too_many' }

export type BatchPage = {
  limit: number
  after?: BatchId | undefined
  before?: BatchId | undefined
  /** Only those that were made in this API. */
  dialect?: Batch['dialect'] | undefined
}

export type BatchStore = ReturnType<typeof createBatchStore>

/** Batches as their accounts see them. What belongs to another account, or was deleted, is not there. */
export function createBatchStore(db: Database) {
  async function freeLapsedKey(accountId: AccountId, key: string, idempotencyMs: number): Promise<void> {
    await sql`
      update store.batch set idempotency_key = null, request_digest = null
      where account_id = ${uuidOf(accountId)} and idempotency_key = ${key}
        and created_at < clock_timestamp() - ${idempotencyMs}::float8 * interval '1 ms'`.execute(db)
  }

  async function heldBy(
    accountId: AccountId,
    { key, digest }: { key: string; digest: Buffer },
  ): Promise<CreatedBatch | undefined> {
    const { rows } = await sql<BatchRow & { is_same: boolean }>`
      select *, request_digest = ${digest} as is_same from store.batch
      where account_id = ${uuidOf(accountId)} and idempotency_key = ${key}`.execute(db)
    return rows[0] && { kind: 'held', batch: batchOf(rows[0]), isSame: rows[0].is_same }
  }

  return {
    /** Not where the account has `mostOpen` already that have not ended. A key stands for its batch for `idempotencyMs`. */
    async create(
      batch: NewBatch,
      { mostOpen, idempotencyMs }: { mostOpen: number; idempotencyMs: number },
    ): Promise<CreatedBatch> {
      const { accountId, idempotency } = batch
      if (idempotency) await freeLapsedKey(accountId, idempotency.key, idempotencyMs)
      const { rows } = await sql<BatchRow>`
        with created as (
        insert into store.batch (id, account_id, key_id, dialect, endpoint, input_file_id, metadata, webhook_url, dry_run,
          max_cost, max_tries, results_kept_ms, expected, idempotency_key, request_digest, expires_at)
        select ${uuidOf(newBatchId())}, ${uuidOf(accountId)}, ${uuidOf(batch.keyId)}, ${batch.dialect},
          ${batch.endpoint}, ${uuidOf(batch.inputFileId)},
          ${batch.metadata === undefined ? null : JSON.stringify(batch.metadata)}::jsonb, ${batch.webhookUrl ?? null},
          ${batch.dryRun}, ${batch.maxCost ?? null}::bigint, ${batch.maxTries},
          ${batch.resultsKeptMs}::bigint, ${batch.expectedLines ?? null}::int, ${idempotency?.key ?? null},
          ${idempotency?.digest ?? null}::bytea,
          clock_timestamp() + ${batch.windowMs}::float8 * interval '1 ms'
        -- One after the other, or many at once would all see room.
        from (select pg_advisory_xact_lock(hashtextextended(${accountId}, 7730002))) turn
        where (select count(*) from store.batch
               where account_id = ${uuidOf(accountId)} and ended_at is null) < ${mostOpen}::int
        on conflict (account_id, idempotency_key) where idempotency_key is not null do nothing
        returning *
        ), kept as (
          -- Its input is needed to its end.
          update store.file f set expires_at = greatest(f.expires_at, c.expires_at + interval '1 day')
          from created c where f.id = c.input_file_id
        )
        table created`.execute(db)
      if (rows[0]) return { kind: 'created', batch: batchOf(rows[0]) }
      return (idempotency && (await heldBy(accountId, idempotency))) ?? { kind: 'too_many' }
    },

    async find(accountId: AccountId, id: BatchId): Promise<Batch | undefined> {
      const { rows } = await sql<BatchRow>`
        select * from store.batch
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and deleted_at is null`.execute(db)
      return rows[0] && batchOf(rows[0])
    },

    /** Newest first; with `before`, those that are next newer than it, newest first too. */
    async list(accountId: AccountId, { limit, after, before, dialect }: BatchPage): Promise<Batch[]> {
      const { rows } = await sql<BatchRow>`
        select * from store.batch
        where account_id = ${uuidOf(accountId)} and deleted_at is null
          and dialect = coalesce(${dialect ?? null}::text, dialect)
          and (${after === undefined}::boolean or id < ${after === undefined ? null : uuidOf(after)}::uuid)
          and (${before === undefined}::boolean or id > ${before === undefined ? null : uuidOf(before)}::uuid)
        order by id ${sql.raw(before === undefined ? 'desc' : 'asc')} limit ${limit}`.execute(db)
      const batches = rows.map(batchOf)
      return before === undefined ? batches : batches.toReversed()
    },

    /** Stops it: lines that wait end at once, those that run are stopped by the feeders. False where it has ended. */
    async cancel(accountId: AccountId, id: BatchId): Promise<boolean> {
      const { rows } = await sql`
        with cancelled as (
          update store.batch
          set state = 'cancelling', ends_as = 'cancelled', cancelling_at = clock_timestamp(), held_until = '-infinity',
              paused_for = null, paused_at = null
          where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and deleted_at is null
            and state in ('validating', 'in_progress')
          returning id
        )
        select id from cancelled
        union all
        select id from store.batch
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and state = 'cancelling'`.execute(db)
      if (rows.length === 0) return false
      // Should we die here, the feeders do it. Lines that are still being checked do not count yet.
      await sql`
        select store.close_items(id, null, 'cancelled', null) from store.batch
        where id = ${uuidOf(id)} and pending > 0`.execute(db)
      return true
    },

    /** With its results. False where it has not ended. */
    async remove(accountId: AccountId, id: BatchId): Promise<boolean> {
      const { rows } = await sql`
        with removed as (
          update store.batch set deleted_at = clock_timestamp(), idempotency_key = null, request_digest = null
          where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and ended_at is not null and deleted_at is null
          returning output_file_id, error_file_id
        )
        select store.delete_files(array_remove(array[output_file_id, error_file_id], null)) from removed`.execute(db)
      return rows.length === 1
    },
  }
}
