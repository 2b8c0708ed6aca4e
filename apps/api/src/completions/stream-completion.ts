import { type RejoinDeps, endOf, storedOrThrow } from '@weir/completions'
import { ServiceError } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { type AnswerStreamDeps, answerStreamAgain, streamExpired } from './answer-stream.ts'
import { CompletionParams } from './schemas.ts'
import { notFound } from './show-completion.ts'

export type StreamCompletionDeps = AnswerStreamDeps & RejoinDeps & { relay: Pick<Relay, 'recordOf'> }

const eventId = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the id of an event')
  .transform(Number)

const StreamQuery = z.strictObject({
  starting_after: eventId.optional().describe('The id of the last event that you have'),
  include_usage: z.enum(['true', 'false']).optional().describe('As stream_options.include_usage of the request'),
})

/** GET /v1/chat/completions/{id}/stream: the events of a completion that one has not seen, to the last one. */
export function streamCompletions(deps: StreamCompletionDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/chat/completions/:id/stream',
      {
        schema: {
          summary: 'Follow or resume the stream of a completion',
          description:
            'Server-sent events. `Last-Event-ID` or `starting_after` names the last event that you have; exactly the missing ones follow. 410 when they are no longer kept.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          params: CompletionParams,
          querystring: StreamQuery,
          response: { '4xx': ErrorBody, '5xx': ErrorBody },
        },
      },
      async ({ identity: { accountId }, params: { id }, query, headers }, reply) => {
        const record = await deps.completionRecords.find(accountId, id)
        if (!record || record.isDeleted) throw notFound(id)
        const after = query.starting_after ?? lastEventIdOf(headers['last-event-id']) ?? 0
        const live = await deps.relay.recordOf(id)
        // Lost with Redis, or long ended: what was said before cannot be continued.
        if (!live && after > 0) throw streamExpired()
        if (!live && record.end) storedOrThrow(await endOf(deps, { accountId, id }), { id })
        const hasSpoken = live !== undefined && live.lastSequence > 0
        if (live && !hasSpoken && !live.outcome && after > 0) throw streamExpired()

        const attached = {
          id,
          accountId,
          dialect: openai.dialect,
          model: record.model,
          deadlineAt: record.deadlineAt.getTime(),
        }
        const includeUsage =
          query.include_usage === undefined ? (live?.includeUsage ?? false) : query.include_usage === 'true'
        const waitForFirst = hasSpoken || record.end !== undefined
        return answerStreamAgain(deps, attached, { includeUsage, after, waitForFirst }, reply)
      },
    )
  }
}

/** What a browser's EventSource sends when it comes back. */
function lastEventIdOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  throw new ServiceError('invalid_request', "'Last-Event-ID' must be the id of an event.", { param: 'Last-Event-ID' })
}
