import {
  type AccountId,
  AttemptRecord,
  type CompletionId,
  type EndState,
  type ErrorCode,
  type KeyId,
  type Microcredits,
  type Usage,
  completionIdOf,
  keyIdOf,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** What Postgres remembers of an accepted completion: who asked for what, and how it ended once it has. */
export type CompletionRecord = {
  id: CompletionId
  keyId: KeyId
  model: string
  stream: boolean
  background: boolean
  metadata: Metadata
  /** Where its end is told, beside the endpoints of the account. */
  webhookUrl: string | undefined
  createdAt: Date
  deadlineAt: Date
  /** A line of a batch. */
  ofBatch: boolean
  /** So many percent less it costs than its price says, as a line of a batch. */
  batchDiscount: number
  /** Its owner asked us to forget it; the books do not. */
  isDeleted: boolean
  /** Undefined while it waits or runs. */
  end: CompletionEnd | undefined
}

/** Pairs of text that a client gave its completion. */
export type Metadata = Record<string, string>

export type CompletionEnd = {
  state: EndState
  endedAt: Date
  usage: Usage
  /** What the account paid. */
  charged: Microcredits
  /** The target that served it; null when none was reached. */
  servedBy: string | null
  errorCode: ErrorCode | null
  /** Null where nobody counted them. */
  attempts: number | null
  /** Every try at it, oldest first. */
  attemptLog: AttemptRecord[]
  /** The output cap it was clamped to for want of credits; null when it was not. */
  clampedTo: number | null
}

/** `waiting` are all that have not ended. */
export type CompletionFilter = {
  state?: EndState | 'waiting' | undefined
  model?: string | undefined
  background?: boolean | undefined
  /** It has all of these pairs. */
  metadata?: Metadata | undefined
}

export type CompletionPage = { limit: number; order: 'asc' | 'desc'; after?: CompletionId | undefined }

export type CompletionRecords = ReturnType<typeof createCompletionRecords>

export function createCompletionRecords(db: Database) {
  return {
    /** One completion of an account. What belongs to another account is not there. */
    async find(accountId: AccountId, id: CompletionId): Promise<CompletionRecord | undefined> {
      const { rows } = await sql<Row>`
        select ${columns} from store.completion
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      return rows[0] && recordOf(rows[0])
    },

    /** Those of an account, by the time they were made; without deleted ones and without the lines of batches. */
    async list(accountId: AccountId, filter: CompletionFilter, page: CompletionPage): Promise<CompletionRecord[]> {
      const { state, model, background, metadata } = filter
      const { limit, order, after } = page
      const conditions = [
        sql`account_id = ${uuidOf(accountId)} and deleted_at is null and not of_batch`,
        ...(state === undefined ? [] : [sql`state = ${state === 'waiting' ? 'queued' : state}`]),
        ...(model === undefined ? [] : [sql`model = ${model}`]),
        ...(background === undefined ? [] : [sql`background = ${background}`]),
        ...(metadata === undefined ? [] : [sql`metadata @> ${JSON.stringify(metadata)}::jsonb`]),
        ...(after === undefined ? [] : [sql`id ${sql.raw(order === 'desc' ? '<' : '>')} ${uuidOf(after)}`]),
      ]
      const { rows } = await sql<Row>`
        select ${columns} from store.completion where ${sql.join(conditions, sql` and `)}
        order by id ${sql.raw(order)} limit ${limit}`.execute(db)
      return rows.map(recordOf)
    },

    /** False when there is no such completion, or no more. */
    async setMetadata(accountId: AccountId, id: CompletionId, metadata: Metadata): Promise<boolean> {
      const { numAffectedRows } = await sql`
        update store.completion set metadata = ${JSON.stringify(metadata)}::jsonb
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and deleted_at is null`.execute(db)
      return numAffectedRows === 1n
    },
  }
}

const columns = sql`id, key_id, model, stream, background, metadata, webhook_url, state, created_at, deadline_at, ended_at, served_by,
  error_code, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, images,
  usage_source, charged, attempts, attempt_log, clamped_to, of_batch, batch_discount, deleted_at is not null as is_deleted`

type Head = {
  id: string
  key_id: string
  model: string
  stream: boolean
  background: boolean
  metadata: Metadata | null
  webhook_url: string | null
  created_at: Date
  deadline_at: Date
  of_batch: boolean
  batch_discount: number
  is_deleted: boolean
}
/** Whoever ends a completion writes all of this at once. */
type EndedRow = Head & {
  state: EndState
  ended_at: Date
  served_by: string | null
  error_code: ErrorCode | null
  input_tokens: bigint
  cached_input_tokens: bigint
  cache_write_tokens: bigint | null
  output_tokens: bigint
  reasoning_tokens: bigint | null
  images: bigint | null
  usage_source: Usage['source']
  charged: bigint
  attempts: number | null
  attempt_log: unknown[] | null
  clamped_to: number | null
}
type Row = EndedRow | (Head & { state: 'queued' })

const recordOf = (row: Row): CompletionRecord => ({
  id: completionIdOf(row.id),
  keyId: keyIdOf(row.key_id),
  model: row.model,
  stream: row.stream,
  background: row.background,
  metadata: row.metadata ?? {},
  webhookUrl: row.webhook_url ?? undefined,
  createdAt: row.created_at,
  deadlineAt: row.deadline_at,
  ofBatch: row.of_batch,
  batchDiscount: row.batch_discount,
  isDeleted: row.is_deleted,
  end: row.state === 'queued' ? undefined : endOf(row),
})

const endOf = (row: EndedRow): CompletionEnd => ({
  state: row.state,
  endedAt: row.ended_at,
  usage: usageOf(row),
  charged: row.charged,
  servedBy: row.served_by,
  errorCode: row.error_code,
  attempts: row.attempts,
  attemptLog: (row.attempt_log ?? []).map((each) => AttemptRecord.parse(each)),
  clampedTo: row.clamped_to,
})

/** A bucket that is empty is absent, as it was when the usage was written. */
function usageOf(row: EndedRow): Usage {
  const [cacheWriteTokens, reasoningTokens, images] = [row.cache_write_tokens, row.reasoning_tokens, row.images].map(
    Number,
  )
  return {
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    ...(cacheWriteTokens && { cacheWriteTokens }),
    outputTokens: Number(row.output_tokens),
    ...(reasoningTokens && { reasoningTokens }),
    ...(images && { images }),
    source: row.usage_source,
  }
}
