import { unfinishedLines } from '@weir/completions'
import { creditsNumber } from '@weir/contracts'
import type { Batch, BatchLine } from '@weir/store'

/** A batch as OpenAI's clients know it, and what is ours beside that. What is not there yet is left out. */
export const renderBatch = (batch: Batch) => ({
  id: batch.id,
  object: 'batch' as const,
  endpoint: batch.endpoint,
  // Clients take it for text; of a message batch it is a file that nobody sees.
  input_file_id: batch.dialect === 'anthropic' ? '' : batch.inputFileId,
  completion_window: '24h' as const,
  status: batch.state,
  ...(batch.errors && { errors: { object: 'list' as const, data: batch.errors } }),
  ...(batch.outputFileId && { output_file_id: batch.outputFileId }),
  ...(batch.errorFileId && { error_file_id: batch.errorFileId }),
  created_at: inSeconds(batch.createdAt),
  expires_at: inSeconds(batch.expiresAt),
  ...timesOf(batch),
  request_counts: countsOf(batch),
  ...usageOf(batch),
  ...(batch.metadata && { metadata: batch.metadata }),
  ...(batch.paused && { paused: { reason: batch.paused.for, since: inSeconds(batch.paused.since) } }),
  ...(batch.webhookUrl !== undefined && { webhook_url: batch.webhookUrl }),
  dry_run: batch.dryRun,
  ...(batch.maxCost !== undefined && { max_credits: creditsNumber(batch.maxCost) }),
  ...(batch.quote !== undefined && { estimate: { max_credits_consumed: creditsNumber(batch.quote) } }),
  credits_consumed: creditsNumber(batch.charged),
  credits_reserved: creditsNumber(batch.reserved),
})

function timesOf({ state, inProgressAt, finalizingAt, cancellingAt, endedAt }: Batch) {
  return {
    ...(inProgressAt && { in_progress_at: inSeconds(inProgressAt) }),
    ...(finalizingAt && { finalizing_at: inSeconds(finalizingAt) }),
    ...(cancellingAt && { cancelling_at: inSeconds(cancellingAt) }),
    ...(endedAt && { [`${state as 'completed' | 'failed' | 'expired' | 'cancelled'}_at`]: inSeconds(endedAt) }),
  }
}

/** Whatever was not answered has failed, but for what a dry run never meant to ask. */
function countsOf({ dryRun, lines: { total, completed, failed, cancelled, expired } }: Batch) {
  return { total, completed, failed: dryRun ? failed : failed + cancelled + expired }
}

function usageOf({ usage, charged }: Batch) {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage
  if (inputTokens + outputTokens === 0 && charged === 0n) return {}
  return {
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: cachedInputTokens },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: reasoningTokens },
      total_tokens: inputTokens + outputTokens,
      credits_consumed: creditsNumber(charged),
    },
  }
}

export const renderLine = (line: BatchLine) => ({
  object: 'batch.line' as const,
  line: line.line,
  custom_id: line.customId,
  state: line.state,
  attempts: line.tries,
  completion_id: line.completionId ?? null,
  credits_consumed: creditsNumber(line.charged),
  ended_at: line.endedAt ? inSeconds(line.endedAt) : null,
  next_attempt_at: line.nextTryAt ? inSeconds(line.nextTryAt) : null,
  error: line.error ? { code: line.error.code, message: line.error.message } : unfinishedOf(line.state),
})

export const inSeconds = (time: Date): number => Math.floor(time.getTime() / 1_000)

const unfinishedOf = (state: BatchLine['state']) =>
  state === 'cancelled' || state === 'expired' ? unfinishedLines[state] : null
