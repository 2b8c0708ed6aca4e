import { messageBatchIdOf } from '@weir/contracts'
import type { BatchStore, FileStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Transfers } from '../../files/transfers.ts'
import { type ResultsDeps, resultLinesOf, sendLines } from '../results.ts'
import { cancelBatch } from '../shared.ts'
import { renderMessageBatch } from './render-message-batch.ts'
import { MessageBatch, MessageBatchDeleted, MessageBatchList, MessageBatchesQuery } from './schemas.ts'
import { baseUrlOf, foundMessageBatch, notEnded, ofOne, refusals, shared } from './shared.ts'

export type ShowMessageBatchesDeps = ResultsDeps & {
  batches: Pick<BatchStore, 'find' | 'list' | 'cancel' | 'remove'>
  files: Pick<FileStore, 'find' | 'read'>
  publicUrl: string | undefined
}

/** /v1/messages/batches: what was made there, and what came of it. */
export function showMessageBatches(deps: ShowMessageBatchesDeps, transfers: Transfers) {
  return async (app: FastifyInstance) => {
    list(app, deps)
    showAndCancel(app, deps)
    remove(app, deps)
    results(app, deps, transfers)
  }
}

function list(plain: FastifyInstance, { batches, publicUrl }: ShowMessageBatchesDeps) {
  plain.withTypeProvider<ZodTypeProvider>().get(
    '/v1/messages/batches',
    {
      schema: {
        ...shared,
        summary: 'List message batches, newest first',
        querystring: MessageBatchesQuery,
        response: { 200: MessageBatchList, ...refusals },
      },
    },
    async ({ identity: { accountId }, query, protocol, host }) => {
      const { limit, after_id: after, before_id: before } = query
      // One more than asked for tells whether there are more, on whichever side the page is turned to.
      const found = await batches.list(accountId, {
        limit: limit + 1,
        after,
        before,
        dialect: 'anthropic',
      })
      const page = before === undefined ? found.slice(0, limit) : found.slice(-limit)
      const data = page.map((batch) => renderMessageBatch(batch, baseUrlOf(publicUrl, { protocol, host })))
      return {
        data,
        has_more: found.length > limit,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
      }
    },
  )
}

function showAndCancel(plain: FastifyInstance, { batches, publicUrl }: ShowMessageBatchesDeps) {
  const app = plain.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/v1/messages/batches/:id',
    { schema: { ...ofOne, summary: 'Show a message batch', response: { 200: MessageBatch, ...refusals } } },
    async ({ identity, params, protocol, host }) => {
      const batch = await foundMessageBatch(batches, identity.accountId, params.id)
      return renderMessageBatch(batch, baseUrlOf(publicUrl, { protocol, host }))
    },
  )

  app.post(
    '/v1/messages/batches/:id/cancel',
    {
      schema: {
        ...ofOne,
        summary: 'Cancel a message batch',
        description:
          'What has ended stays and is charged. Cancelling again changes nothing; one that has ended is a 409.',
        response: { 200: MessageBatch, ...refusals },
      },
    },
    async ({ identity: { accountId }, params, protocol, host }) => {
      const { id } = await foundMessageBatch(batches, accountId, params.id)
      return renderMessageBatch(await cancelBatch(batches, accountId, id), baseUrlOf(publicUrl, { protocol, host }))
    },
  )
}

function remove(plain: FastifyInstance, { batches }: ShowMessageBatchesDeps) {
  plain.withTypeProvider<ZodTypeProvider>().delete(
    '/v1/messages/batches/:id',
    {
      schema: {
        ...ofOne,
        summary: 'Delete a message batch that has ended, and its results',
        response: { 200: MessageBatchDeleted, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id } }) => {
      await foundMessageBatch(batches, accountId, id)
      if (!(await batches.remove(accountId, id))) throw notEnded(id, 'Cancel it first.')
      return { id: messageBatchIdOf(id), type: 'message_batch_deleted' as const }
    },
  )
}

function results(plain: FastifyInstance, deps: ShowMessageBatchesDeps, transfers: Transfers) {
  plain.withTypeProvider<ZodTypeProvider>().get(
    '/v1/messages/batches/:id/results',
    {
      exposeHeadRoute: false,
      schema: {
        ...ofOne,
        summary: 'Read the results of a message batch that has ended',
        description: 'JSON Lines. Match them by `custom_id`.',
        response: { 200: { content: { 'application/x-jsonl': { schema: z.string() } } }, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id } }, reply) => {
      const batch = await foundMessageBatch(deps.batches, accountId, id)
      if (batch.endedAt === undefined) throw notEnded(id, `What has ended of it is at GET /v1/batches/${id}/output.`)
      const lines = await resultLinesOf(deps, batch, 'output')
      const begun = transfers.begin(accountId)
      return sendLines(reply, lines, { type: 'application/x-jsonl', stallMs: deps.eventStream.stallMs, begun }) as never
    },
  )
}
