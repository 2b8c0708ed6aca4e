import type { BatchLines, BatchStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { listOf } from '../listing.ts'
import { renderBatch, renderLine } from './render-batch.ts'
import { BatchList, BatchObject, LineList, LinesQuery, ListQuery } from './schemas.ts'
import { cancelBatch, foundBatch, ofOne, refusals, shared } from './shared.ts'

export type ShowBatchesDeps = {
  batches: Pick<BatchStore, 'find' | 'list' | 'cancel'>
  batchLines: BatchLines
}

/** GET /v1/batches, one of them, its lines, and POST …/cancel. Those that were made as message batches are among them. */
export function showBatches(deps: ShowBatchesDeps) {
  return async (app: FastifyInstance) => {
    showAndCancel(app, deps)
    showLines(app, deps)
  }
}

function showAndCancel(plain: FastifyInstance, { batches }: ShowBatchesDeps) {
  const app = plain.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/v1/batches',
    {
      schema: {
        ...shared,
        summary: 'List batches, newest first',
        querystring: ListQuery,
        response: { 200: BatchList, ...refusals },
      },
    },
    async ({ identity: { accountId }, query: { limit, after } }) => {
      const fetch = (limit: number) => batches.list(accountId, { limit, after })
      const { last_id, ...page } = await listOf(limit, fetch, ({ id }) => id, renderBatch)
      // Clients take these for text wherever they are there.
      return last_id === null ? page : { ...page, first_id: page.data[0]!.id, last_id }
    },
  )

  app.get(
    '/v1/batches/:id',
    { schema: { ...ofOne, summary: 'Show a batch', response: { 200: BatchObject, ...refusals } } },
    async ({ identity: { accountId }, params: { id } }) => renderBatch(await foundBatch(batches, accountId, id)),
  )

  app.post(
    '/v1/batches/:id/cancel',
    {
      schema: {
        ...ofOne,
        summary: 'Cancel a batch',
        description:
          'Lines that wait are not run, those that run are stopped; what has ended stays and is charged. Cancelling again changes nothing; one that has ended is a 409.',
        response: { 200: BatchObject, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id } }) => renderBatch(await cancelBatch(batches, accountId, id)),
  )
}

function showLines(plain: FastifyInstance, { batches, batchLines }: ShowBatchesDeps) {
  plain.withTypeProvider<ZodTypeProvider>().get(
    '/v1/batches/:id/lines',
    {
      schema: {
        ...ofOne,
        summary: 'List the lines of a batch, as they stand in its input',
        querystring: LinesQuery,
        response: { 200: LineList, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id }, query: { limit, after = 0, state } }) => {
      const { lines } = await foundBatch(batches, accountId, id)
      // Until all of them are checked none of them counts.
      const fetch = async (limit: number) => (lines.total === 0 ? [] : batchLines.list(id, { after, limit, state }))
      const { last_id: _, ...page } = await listOf(limit, fetch, ({ customId }) => customId, renderLine)
      return { ...page, last_line: page.data.at(-1)?.line ?? null }
    },
  )
}
