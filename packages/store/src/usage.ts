import { type AccountId, type KeyId, type Microcredits, keyIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type UsageBucket = 'hour' | 'day' | 'month'
export type UsageGroup = 'model' | 'key'

/** Where a row of a listing stands in it. */
export type UsagePosition = { startsAt: Date; model: string | null; keyId: KeyId | null }

export type UsageQuery = {
  bucket: UsageBucket
  /** The hours that begin in this period count; `to` is not in it. */
  from: Date
  to: Date
  groupBy: readonly UsageGroup[]
  model?: string | undefined
  keyId?: KeyId | undefined
  limit: number
  after?: UsagePosition | undefined
}

/** What completions that ended in a bucket (of UTC) used; null where the rows are not told apart by it. */
export type UsageRow = UsagePosition & {
  requests: number
  inputTokens: number
  cachedInputTokens: number
  cacheWriteTokens: number
  outputTokens: number
  reasoningTokens: number
  images: number
  charged: Microcredits
}

export type UsageStore = ReturnType<typeof createUsageStore>

/** What was used, hour by hour: kept in the transaction that settles, so it is what the entries of charges say. */
export function createUsageStore(db: Database) {
  return {
    /** Oldest first, in a bucket by model and key. */
    async usageOf(accountId: AccountId, query: UsageQuery): Promise<UsageRow[]> {
      const { bucket, groupBy, model, keyId, after } = query
      // Buckets before the position are over: their hours need not be read again.
      const from = after && after.startsAt > query.from ? after.startsAt : query.from
      const { rows } = await sql<Row>`
        select * from (
          select date_trunc(${bucket}, hour, 'UTC') as starts_at,
            ${groupBy.includes('model') ? sql.ref('model') : sql`null::text`} as model,
            ${groupBy.includes('key') ? sql.ref('key_id') : sql`null::uuid`} as key_id,
            sum(requests)::text as requests, sum(input_tokens)::text as input_tokens,
            sum(cached_input_tokens)::text as cached_input_tokens, sum(cache_write_tokens)::text as cache_write_tokens,
            sum(output_tokens)::text as output_tokens, sum(reasoning_tokens)::text as reasoning_tokens,
            sum(images)::text as images, sum(charged)::text as charged
          from store.usage_hour
          where account_id = ${uuidOf(accountId)} and hour >= ${from.toISOString()} and hour < ${query.to.toISOString()}
            ${model === undefined ? sql`` : sql`and model = ${model}`}
            ${keyId === undefined ? sql`` : sql`and key_id = ${uuidOf(keyId)}`}
          group by 1, 2, 3
        ) bucket
        ${after === undefined ? sql`` : sql`where ${order} > ${orderOf(after)}`}
        order by ${order} limit ${query.limit}`.execute(db)
      return rows.map(usageRowOf)
    },
  }
}

/** A row that is not told apart by model or key has the lowest there can be. */
const NO_KEY = '00000000-0000-0000-0000-000000000000'
const order = sql`(starts_at, coalesce(model, ''), coalesce(key_id, ${sql.lit(NO_KEY)}))`
const orderOf = ({ startsAt, model, keyId }: UsagePosition) =>
  sql`(${startsAt.toISOString()}::timestamptz, ${model ?? ''}::text, ${keyId === null ? NO_KEY : uuidOf(keyId)}::uuid)`

/** Sums come as text: Postgres adds whole numbers up without a limit. */
type Row = {
  starts_at: Date
  model: string | null
  key_id: string | null
  requests: string
  input_tokens: string
  cached_input_tokens: string
  cache_write_tokens: string
  output_tokens: string
  reasoning_tokens: string
  images: string
  charged: string
}

const usageRowOf = (row: Row): UsageRow => ({
  startsAt: row.starts_at,
  model: row.model,
  keyId: row.key_id === null ? null : keyIdOf(row.key_id),
  requests: Number(row.requests),
  inputTokens: Number(row.input_tokens),
  cachedInputTokens: Number(row.cached_input_tokens),
  cacheWriteTokens: Number(row.cache_write_tokens),
  outputTokens: Number(row.output_tokens),
  reasoningTokens: Number(row.reasoning_tokens),
  images: Number(row.images),
  charged: BigInt(row.charged),
})
