import type { FastifyInstance } from 'fastify'
import { createTransfers } from '../files/transfers.ts'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { type BatchEventsDeps, batchEvents } from './batch-events.ts'
import { type BatchResultsDeps, batchResults } from './batch-results.ts'
import { type CreateBatchDeps, createBatch } from './create-batch.ts'
import { type MessageBatchesDeps, messageBatches } from './messages/index.ts'
import { type ShowBatchesDeps, showBatches } from './show-batches.ts'

export type BatchesDeps = CreateBatchDeps & ShowBatchesDeps & BatchResultsDeps & BatchEventsDeps & MessageBatchesDeps

/** Results that are read at once: each reader holds a page of them. */
const bounds = { most: 64, mostPerAccount: 8 }

/** Many requests handed over at once, in the shapes of both APIs. */
export function batches(deps: BatchesDeps) {
  const transfers = createTransfers(bounds)
  return async (app: FastifyInstance) => {
    app.addHook('preValidation', refuseUnknownQuery)
    await app.register(createBatch(deps))
    await app.register(showBatches(deps))
    await app.register(batchResults(deps, transfers))
    await app.register(batchEvents(deps))
    await app.register(messageBatches(deps, transfers))
  }
}
