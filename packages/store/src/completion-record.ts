import {
  type AccountId,
  type CompletionId,
  type EndState,
  type ErrorCode,
  type KeyId,
  type Usage,
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
  createdAt: Date
  /** Undefined while it waits or runs. */
  end: CompletionEnd | undefined
}

export type CompletionEnd = {
  state: EndState
  endedAt: Date
  usage: Usage
  /** The target that served it; null when none was reached. */
  servedBy: string | null
  errorCode: ErrorCode | null
  /** Null where nobody counted them. */
  attempts: number | null
  /** The output cap it was clamped to for want of credits; null when it was not. */
  clampedTo: number | null
}

export type CompletionRecords = ReturnType<typeof createCompletionRecords>

export function createCompletionRecords(db: Database) {
  return {
    /** One completion of an account. What belongs to another account is not there. */
    async find(accountId: AccountId, id: CompletionId): Promise<CompletionRecord | undefined> {
      const { rows } = await sql<Row>`
        select key_id, model, stream, state, created_at, ended_at, served_by, error_code, input_tokens,
          cached_input_tokens, output_tokens, usage_source, attempts, clamped_to
        from store.completion where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      const [row] = rows
      return row && { ...headOf(row), id, end: row.state === 'queued' ? undefined : endOf(row) }
    },
  }
}

type Head = { key_id: string; model: string; stream: boolean; created_at: Date }
/** Whoever ends a completion writes all of this at once. */
type EndedRow = Head & {
  state: EndState
  ended_at: Date
  served_by: string | null
  error_code: ErrorCode | null
  input_tokens: bigint
  cached_input_tokens: bigint
  output_tokens: bigint
  usage_source: Usage['source']
  attempts: number | null
  clamped_to: number | null
}
type Row = EndedRow | (Head & { state: 'queued' })

const headOf = ({ key_id, model, stream, created_at }: Row) => ({
  keyId: keyIdOf(key_id),
  model,
  stream,
  createdAt: created_at,
})

const endOf = (row: EndedRow): CompletionEnd => ({
  state: row.state,
  endedAt: row.ended_at,
  usage: {
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    outputTokens: Number(row.output_tokens),
    source: row.usage_source,
  },
  servedBy: row.served_by,
  errorCode: row.error_code,
  attempts: row.attempts,
  clampedTo: row.clamped_to,
})
