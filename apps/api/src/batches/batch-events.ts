import { createHash } from 'node:crypto'
import { ServiceError } from '@weir/contracts'
import type { Batch, BatchStore } from '@weir/store'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { createTransfers } from '../files/transfers.ts'
import { type EventStreamLimits, openEventStream } from '../http/event-stream.ts'
import { patienceOf } from '../http/patience.ts'
import { renderBatch } from './render-batch.ts'
import { foundBatch, ofOne, refusals } from './shared.ts'
import { createBatchWatch } from './watch-batches.ts'

export type BatchEventsDeps = {
  batches: Pick<BatchStore, 'find'>
  eventStream: EventStreamLimits
  /** Aborts when this replica stops and relays nothing any more. */
  lastCall: AbortSignal
  onError: (error: unknown) => void
}

/** Streams of events at once, in this process. */
const bounds = { most: 1_000, mostPerAccount: 50 }

/** From the end of its window to that of a batch. */
const MARGIN_MS = 3_600_000

/** GET /v1/batches/{id}/events: the batch, each time that something of it has changed, to its end. */
export function batchEvents(deps: BatchEventsDeps) {
  const places = createTransfers(bounds, { full, tooMany })
  const { watch } = createBatchWatch(deps.batches, deps.onError)

  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/batches/:id/events',
      {
        exposeHeadRoute: false,
        schema: {
          ...ofOne,
          summary: 'Follow a batch',
          description:
            'Server-sent events. `event` is `batch.` and the status, or `batch.paused`; `data` is the batch. The first tells how it stands, the last how it has ended; between two is a second or more. Whoever comes back with `Last-Event-ID` is not told the same again: 204 where that was the end.',
          response: {
            200: { content: { 'text/event-stream': { schema: z.string() } } },
            204: z.null().describe('Its end was told'),
            ...refusals,
          },
        },
      },
      async ({ identity: { accountId }, params: { id }, headers }, reply) => {
        const batch = await foundBatch(deps.batches, accountId, id)
        const told = headers['last-event-id']
        if (batch.endedAt !== undefined && told === eventOf(batch).id)
          return reply.code(204).send(null as never) as never
        using _ = places.begin(accountId)
        await relay(deps, watch, batch, told, reply)
        return reply as never
      },
    )
  }
}

async function relay(
  deps: BatchEventsDeps,
  watch: ReturnType<typeof createBatchWatch>['watch'],
  batch: Batch,
  told: string | string[] | undefined,
  reply: FastifyReply,
): Promise<void> {
  using patience = patienceOf(reply, batch.expiresAt.getTime() + MARGIN_MS, deps.lastCall)
  const stream = openEventStream(reply, deps.eventStream)
  try {
    let last = told
    const tell = async (now: Batch) => {
      const { id, text } = eventOf(now)
      if (id !== last) await stream.send(text)
      last = id
    }
    await tell(batch)
    if (batch.endedAt === undefined) for await (const now of watch(batch, patience.signal)) await tell(now)
  } finally {
    stream.end()
  }
}

/** Its id says what it tells, so that it is the same at every replica. */
function eventOf(batch: Batch): { id: string; text: string } {
  const data = JSON.stringify(renderBatch(batch))
  const id = createHash('sha256').update(data).digest('base64url').slice(0, 16)
  const name = batch.paused ? 'batch.paused' : `batch.${batch.state}`
  return { id, text: `id: ${id}\nevent: ${name}\ndata: ${data}\n\n` }
}

const full = () => new ServiceError('overloaded', 'Too many batches are being watched. Please try again shortly.')

const tooMany = (value: number) =>
  new ServiceError(
    'rate_limit_exceeded',
    `The account is watching batches ${value} times at once, as often as it may. Close one of these streams.`,
    { extra: { limit: { scope: 'account', name: 'batch_watchers', value } } },
  )
