import { AccountId, EitherBatchId } from '@weir/contracts'
import type { Batch, BatchOverview, BatchStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { renderBatch } from '../batches/render-batch.ts'
import { BatchObject, BatchParams } from '../batches/schemas.ts'
import { cancelBatch, noBatch } from '../batches/shared.ts'
import { limit } from '../inputs.ts'
import { listOf } from '../listing.ts'
import { adminSchema, refusals } from './shared.ts'

export type AllBatchesDeps = {
  batchOverview: BatchOverview
  batches: Pick<BatchStore, 'find' | 'cancel'>
}

const count = z.int().nonnegative()
const BatchOfAccount = BatchObject.extend({
  account_id: z.string(),
  key_id: z.string(),
  lines: z
    .object({
      total: count,
      pending: count,
      running: count,
      completed: count,
      failed: count,
      cancelled: count,
      expired: count,
    })
    .describe('All 0 until it is validated'),
})

const state = z.enum([...BatchObject.shape.status.options, 'open', 'paused'])

/** The batches of all accounts: what is on its way, what it waits for, and an end to it. */
export function allBatches({ batchOverview, batches }: AllBatchesDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const ofOne = { ...adminSchema, params: BatchParams, response: { 200: BatchOfAccount, ...refusals } }

    app.get(
      '/batches',
      {
        schema: {
          ...adminSchema,
          summary: 'List batches of all accounts, newest first',
          querystring: z.strictObject({
            limit,
            after: EitherBatchId.optional(),
            account_id: AccountId.optional(),
            state: state.optional().describe('`open`: those that have not ended; `paused`: of them those that wait'),
          }),
          response: { 200: listSchemaOf(BatchOfAccount), ...refusals },
        },
      },
      async ({ query: { limit, after, account_id: accountId, state } }) => {
        const fetch = (limit: number) => batchOverview.list({ accountId, state }, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderWithOwner)
      },
    )

    const found = async (id: Batch['id']): Promise<Batch> => {
      const batch = await batchOverview.find(id)
      if (!batch) throw noBatch(id)
      return batch
    }

    app.get('/batches/:id', { schema: { ...ofOne, summary: 'Show a batch' } }, async ({ params: { id } }) =>
      renderWithOwner(await found(id)),
    )

    app.post(
      '/batches/:id/cancel',
      { schema: { ...ofOne, summary: 'Cancel a batch, as its owner could' } },
      async ({ params: { id } }) => renderWithOwner(await cancelBatch(batches, (await found(id)).accountId, id)),
    )
  }
}

const renderWithOwner = (batch: Batch) => ({
  ...renderBatch(batch),
  account_id: batch.accountId,
  key_id: batch.keyId,
  lines: batch.lines,
})
