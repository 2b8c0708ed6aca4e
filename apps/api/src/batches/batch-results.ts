import type { BatchStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Transfers } from '../files/transfers.ts'
import { type ResultsDeps, resultLinesOf, sendLines } from './results.ts'
import { foundBatch, ofOne, refusals } from './shared.ts'

export type BatchResultsDeps = ResultsDeps & { batches: Pick<BatchStore, 'find'> }

const routes = [
  ['output', 'Read the lines of a batch that were answered'],
  ['errors', 'Read the lines of a batch that were not answered'],
] as const

/** GET /v1/batches/{id}/output and …/errors: what there is by now, of one that runs as well. */
export function batchResults(deps: BatchResultsDeps, transfers: Transfers) {
  return async (app: FastifyInstance) => {
    for (const [results, summary] of routes)
      app.withTypeProvider<ZodTypeProvider>().get(
        `/v1/batches/:id/${results}`,
        {
          // It would read all of them to say nothing.
          exposeHeadRoute: false,
          schema: {
            ...ofOne,
            summary,
            description:
              'JSON Lines, in the order of the input. While the batch runs: those that have ended by now; once it has ended: the same as its file.',
            response: { 200: { content: { 'application/jsonl': { schema: z.string() } } }, ...refusals },
          },
        },
        async ({ identity: { accountId }, params: { id } }, reply) => {
          const batch = await foundBatch(deps.batches, accountId, id)
          const lines = await resultLinesOf(deps, batch, results)
          const begun = transfers.begin(accountId)
          return sendLines(reply, lines, {
            type: 'application/jsonl',
            stallMs: deps.eventStream.stallMs,
            begun,
          }) as never
        },
      )
  }
}
