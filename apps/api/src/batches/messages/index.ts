import type { FastifyInstance } from 'fastify'
import type { Transfers } from '../../files/transfers.ts'
import { type CreateMessageBatchDeps, createMessageBatch } from './create-message-batch.ts'
import { type ShowMessageBatchesDeps, showMessageBatches } from './show-message-batches.ts'

export type MessageBatchesDeps = CreateMessageBatchDeps & ShowMessageBatchesDeps

/** Batches as Anthropic's API has them: a different door to the same engine. */
export function messageBatches(deps: MessageBatchesDeps, transfers: Transfers) {
  return async (app: FastifyInstance) => {
    await app.register(createMessageBatch(deps, transfers))
    await app.register(showMessageBatches(deps, transfers))
  }
}
