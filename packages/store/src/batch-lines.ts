import { type BatchId, type CompletionId, type Microcredits, completionIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { ItemError } from './batch-items.ts'

export type BatchLineState = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | 'expired'

/** A line of a batch as its owner sees it, at any time of its life. */
export type BatchLine = {
  /** Of the input, from 1. */
  line: number
  customId: string
  state: BatchLineState
  tries: number
  /** Its latest try. */
  completionId: CompletionId | undefined
  charged: Microcredits
  /** Why it failed, or its last try did. */
  error: ItemError | undefined
  /** Not before then it is tried again. */
  nextTryAt: Date | undefined
  endedAt: Date | undefined
}

export type BatchLinePage = { after: number; limit: number; state?: BatchLineState | undefined }

export type BatchLines = ReturnType<typeof createBatchLines>

/** The lines of batches, for who owns them: whose a batch is was asked before. */
export function createBatchLines(database: Database) {
  const db = database.withTables<Record<never, never>>()

  return {
    /** By their place in the input. What a line failed of is told by its completion where it had one. */
    async list(batchId: BatchId, { after, limit, state }: BatchLinePage): Promise<BatchLine[]> {
      const { rows } = await sql<LineRow>`
        select i.line, i.custom_id, i.state, i.tries, i.completion_id, i.charged, i.ended_at, i.error,
          case when i.state = 'pending' and i.tries > 0 then nullif(i.ready_at, '-infinity') end as next_try_at,
          c.error_code, c.attempt_log -> -1 ->> 'message' as message
        from (
          select * from store.batch_item
          where batch_id = ${uuidOf(batchId)} and line > ${after}
            ${state === undefined ? sql`` : sql`and state = any(${within[state]}::text[])`}
          order by line limit ${limit}) i
        left join store.completion c on c.id = i.completion_id and i.state = 'failed'
        order by i.line`.execute(db)
      return rows.map(lineOf)
    },
  }
}

/** Whether a feeder has it or a worker is nothing to its owner. */
const within: Record<BatchLineState, string[]> = {
  pending: ['pending'],
  in_progress: ['claimed', 'running'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
  expired: ['expired'],
}

type LineRow = {
  line: number
  custom_id: string
  state: Exclude<BatchLineState, 'in_progress'> | 'claimed' | 'running'
  tries: number
  completion_id: string | null
  charged: bigint
  ended_at: Date | null
  error: ItemError | null
  next_try_at: Date | null
  error_code: string | null
  message: string | null
}

const lineOf = (row: LineRow): BatchLine => ({
  line: row.line,
  customId: row.custom_id,
  state: row.state === 'claimed' || row.state === 'running' ? 'in_progress' : row.state,
  tries: row.tries,
  completionId: row.completion_id === null ? undefined : completionIdOf(row.completion_id),
  charged: row.charged,
  error: row.error ?? (row.error_code === null ? undefined : { code: row.error_code, message: row.message ?? '' }),
  nextTryAt: row.next_try_at ?? undefined,
  endedAt: row.ended_at ?? undefined,
})
