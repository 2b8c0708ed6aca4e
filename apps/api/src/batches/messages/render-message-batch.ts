import { creditsNumber, messageBatchIdOf } from '@weir/contracts'
import type { Batch } from '@weir/store'

/** A batch as Anthropic's clients know it, and what is ours beside that. What is not there yet is null. */
export const renderMessageBatch = (batch: Batch, baseUrl: string) => ({
  id: messageBatchIdOf(batch.id),
  type: 'message_batch' as const,
  processing_status: statusOf(batch),
  request_counts: countsOf(batch),
  created_at: batch.createdAt.toISOString(),
  expires_at: batch.expiresAt.toISOString(),
  ended_at: batch.endedAt?.toISOString() ?? null,
  cancel_initiated_at: batch.cancellingAt?.toISOString() ?? null,
  archived_at: null,
  results_url:
    batch.endedAt === undefined ? null : `${baseUrl}/v1/messages/batches/${messageBatchIdOf(batch.id)}/results`,
  paused: batch.paused ? { reason: batch.paused.for, since: batch.paused.since.toISOString() } : null,
  credits_consumed: creditsNumber(batch.charged),
  credits_reserved: creditsNumber(batch.reserved),
  max_credits: batch.maxCost === undefined ? null : creditsNumber(batch.maxCost),
})

function statusOf({ state, endedAt }: Batch): 'in_progress' | 'canceling' | 'ended' {
  if (endedAt !== undefined) return 'ended'
  return state === 'cancelling' ? 'canceling' : 'in_progress'
}

/** How many went how is told at the end, as there. */
function countsOf({ lines, expectedLines, inProgressAt, endedAt }: Batch) {
  const { total, completed, failed, cancelled, expired } = lines
  const known = inProgressAt === undefined ? (expectedLines ?? 0) : total
  if (endedAt === undefined) return { processing: known, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  return { processing: 0, succeeded: completed, errored: failed, canceled: cancelled, expired }
}
