import { type AccountId, type BatchId, ServiceError, messageBatchIdOf } from '@weir/contracts'
import type { Batch, BatchStore } from '@weir/store'
import type { FastifyRequest } from 'fastify'
import { MessagesErrorBody } from '../../completions/message-schemas.ts'
import { BatchParams } from '../schemas.ts'
import { noBatch } from '../shared.ts'

/** What all routes of message batches have in common. */
export const shared = { tags: ['messages'], security: [{ apiKey: [] }] }
export const refusals = { '4xx': MessagesErrorBody, '5xx': MessagesErrorBody }
export const ofOne = { ...shared, params: BatchParams }

/** Those of the other API have no results that could be shown here. */
export async function foundMessageBatch(
  batches: Pick<BatchStore, 'find'>,
  accountId: AccountId,
  id: BatchId,
): Promise<Batch> {
  const batch = await batches.find(accountId, id)
  if (batch?.dialect !== 'anthropic') throw noBatch(messageBatchIdOf(id))
  return batch
}

export const notEnded = (id: BatchId, what: string) =>
  new ServiceError('not_finished', `The batch ${messageBatchIdOf(id)} has not ended. ${what}`, { param: 'id' })

/** Where the client reaches us: clients follow `results_url` as it stands. */
export const baseUrlOf = (
  publicUrl: string | undefined,
  { protocol, host }: Pick<FastifyRequest, 'protocol' | 'host'>,
): string => publicUrl?.replace(/\/+$/, '') ?? `${protocol}://${host}`
