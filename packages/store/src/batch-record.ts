import {
  type AccountId,
  type BatchId,
  type FileId,
  type KeyId,
  type Microcredits,
  accountIdOf,
  batchIdOf,
  fileIdOf,
  keyIdOf,
} from '@weir/contracts'
import type { Metadata } from './completion-record.ts'

export type BatchState =
  | 'validating'
  | 'in_progress'
  | 'cancelling'
  | 'finalizing'
  | 'completed'
  | 'failed'
  | 'expired'
  | 'cancelled'

/** Why a batch is not fed at the moment. It goes on by itself once that is over, until its window ends. */
export type PausedFor = 'insufficient_credits' | 'key_limit' | 'account_frozen'

/** What is wrong with a line of the input, or with the input as a whole. */
export type BatchError = { code: string; message: string; param?: string | undefined; line?: number | undefined }

/** Many requests that were handed over at once. */
export type Batch = {
  id: BatchId
  accountId: AccountId
  keyId: KeyId
  /** The API in which it was made, whose words its results speak. */
  dialect: 'openai' | 'anthropic'
  endpoint: string
  inputFileId: FileId
  metadata: Metadata | undefined
  webhookUrl: string | undefined
  /** Only validated and estimated. */
  dryRun: boolean
  /** What it may cost at most. */
  maxCost: Microcredits | undefined
  /** Times that a line is tried. */
  maxTries: number
  /** How long its results are kept once it has ended. */
  resultsKeptMs: number
  state: BatchState
  paused: { for: PausedFor; since: Date } | undefined
  errors: BatchError[] | undefined
  /** What its lines can cost at most together; known once it is validated. */
  quote: Microcredits | undefined
  createdAt: Date
  expiresAt: Date
  inProgressAt: Date | undefined
  finalizingAt: Date | undefined
  cancellingAt: Date | undefined
  endedAt: Date | undefined
  /** Lines of its input, where that is known before it is validated. */
  expectedLines: number | undefined
  lines: Record<'total' | 'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'expired', number>
  /** What its running lines have reserved, and what those that ended were charged. */
  reserved: Microcredits
  charged: Microcredits
  usage: { inputTokens: number; cachedInputTokens: number; outputTokens: number; reasoningTokens: number }
  outputFileId: FileId | undefined
  errorFileId: FileId | undefined
}

export type BatchRow = {
  id: string
  account_id: string
  key_id: string
  dialect: 'openai' | 'anthropic'
  endpoint: string
  input_file_id: string
  metadata: Metadata | null
  webhook_url: string | null
  dry_run: boolean
  max_cost: bigint | null
  max_tries: number
  results_kept_ms: bigint
  expected: number | null
  state: BatchState
  paused_for: PausedFor | null
  paused_at: Date | null
  errors: BatchError[] | null
  quote: bigint | null
  created_at: Date
  expires_at: Date
  in_progress_at: Date | null
  finalizing_at: Date | null
  cancelling_at: Date | null
  ended_at: Date | null
  total: number
  pending: number
  running: number
  completed: number
  failed: number
  cancelled: number
  expired: number
  reserved: bigint
  charged: bigint
  input_tokens: bigint
  cached_input_tokens: bigint
  output_tokens: bigint
  reasoning_tokens: bigint
  output_file_id: string | null
  error_file_id: string | null
}

export function batchOf(row: BatchRow): Batch {
  const { total, pending, running, completed, failed, cancelled, expired } = row
  return {
    id: batchIdOf(row.id),
    accountId: accountIdOf(row.account_id),
    keyId: keyIdOf(row.key_id),
    dialect: row.dialect,
    endpoint: row.endpoint,
    inputFileId: fileIdOf(row.input_file_id),
    metadata: row.metadata ?? undefined,
    webhookUrl: row.webhook_url ?? undefined,
    dryRun: row.dry_run,
    maxCost: row.max_cost ?? undefined,
    maxTries: row.max_tries,
    resultsKeptMs: Number(row.results_kept_ms),
    state: row.state,
    paused: row.paused_for === null ? undefined : { for: row.paused_for, since: row.paused_at! },
    errors: row.errors ?? undefined,
    quote: row.quote ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    inProgressAt: row.in_progress_at ?? undefined,
    finalizingAt: row.finalizing_at ?? undefined,
    cancellingAt: row.cancelling_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    expectedLines: row.expected ?? undefined,
    lines: { total, pending, running, completed, failed, cancelled, expired },
    reserved: row.reserved,
    charged: row.charged,
    usage: {
      inputTokens: Number(row.input_tokens),
      cachedInputTokens: Number(row.cached_input_tokens),
      outputTokens: Number(row.output_tokens),
      reasoningTokens: Number(row.reasoning_tokens),
    },
    outputFileId: row.output_file_id === null ? undefined : fileIdOf(row.output_file_id),
    errorFileId: row.error_file_id === null ? undefined : fileIdOf(row.error_file_id),
  }
}
