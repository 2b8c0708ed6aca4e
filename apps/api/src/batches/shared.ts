import { type AccountId, type BatchId, ServiceError } from '@weir/contracts'
import type { Batch, BatchStore, CreatedBatch } from '@weir/store'
import { ErrorBody } from '../answer-schemas.ts'
import { BatchParams } from './schemas.ts'

/** What all routes of batches have in common. */
export const shared = { tags: ['batches'], security: [{ apiKey: [] }] }
export const refusals = { '4xx': ErrorBody, '5xx': ErrorBody }
export const ofOne = { ...shared, params: BatchParams }

/** What belongs to another account is not there. */
export async function foundBatch(batches: Pick<BatchStore, 'find'>, accountId: AccountId, id: BatchId): Promise<Batch> {
  const batch = await batches.find(accountId, id)
  if (!batch) throw noBatch(id)
  return batch
}

export const noBatch = (id: string) => new ServiceError('not_found', `There is no batch ${id}.`, { param: 'id' })

/** Whoever waits for one of them to end may make another. */
const RETRY_AFTER_MS = 30_000

const tooManyBatches = (value: number): ServiceError =>
  new ServiceError(
    'rate_limit_exceeded',
    `The account has ${value} batches that have not ended, as many as it may. Wait until one of them has, or cancel one.`,
    { retryAfterMs: RETRY_AFTER_MS, extra: { limit: { scope: 'account', name: 'open_batches', value } } },
  )

/** The batch that a request has made, or that an earlier one with its idempotency key had. */
export function batchIn(created: CreatedBatch, mostOpen: number): { batch: Batch; isReplayed: boolean } {
  switch (created.kind) {
    case 'created':
      return { batch: created.batch, isReplayed: false }
    case 'held':
      if (created.isSame) return { batch: created.batch, isReplayed: true }
      throw new ServiceError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for another request. Send a new key for a new request.',
        { param: 'Idempotency-Key' },
      )
    case 'too_many':
      throw tooManyBatches(mostOpen)
  }
}

/** Cancels it, or says how it has ended. One that is being finalized has run to its end: it stays as it is. */
export async function cancelBatch(
  batches: Pick<BatchStore, 'find' | 'cancel'>,
  accountId: AccountId,
  id: BatchId,
): Promise<Batch> {
  await foundBatch(batches, accountId, id)
  const isCancelled = await batches.cancel(accountId, id)
  const batch = await foundBatch(batches, accountId, id)
  if (isCancelled || batch.endedAt === undefined) return batch
  throw new ServiceError('already_ended', `The batch has ended, as ${batch.state}: there is nothing to cancel.`, {
    param: 'id',
  })
}
