import { type RejoinDeps, endOf, storedOrThrow } from '@weir/completions'
import { type AccountId, type CompletionId, ServiceError } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type AnswerStreamDeps, answerStreamAgain, streamExpired } from './answer-stream.ts'
import { CompletionParams } from './schemas.ts'
import { notFound } from './show-completion.ts'
import { styles } from './styles.ts'

export type StreamCompletionDeps = AnswerStreamDeps & RejoinDeps & { relay: Pick<Relay, 'recordOf'> }

const eventId = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the id of an event')
  .transform(Number)

const fields = {
  starting_after: eventId.optional().describe('The id of the last event that you have'),
  include_usage: z.enum(['true', 'false']).optional().describe('As stream_options.include_usage of the request'),
}

/** Anthropic's clients add queries of their own. */
const queries = { openai: z.strictObject(fields), anthropic: z.object(fields) }

/** GET /v1/chat/completions/{id}/stream and /v1/messages/{id}/stream: the events of a completion that one has not seen, to the last one. */
export function streamCompletions(deps: StreamCompletionDeps) {
  return async (app: FastifyInstance) => {
    for (const { path, dialect, tags, error } of styles)
      app.withTypeProvider<ZodTypeProvider>().get(
        `${path}/:id/stream`,
        {
          schema: {
            summary: 'Follow or resume the stream of a completion',
            description:
              'Server-sent events. `Last-Event-ID` or `starting_after` names the last event that you have; exactly the missing ones follow. 410 when they are no longer kept. Events of the two APIs are numbered apart: resume where you began.',
            tags,
            security: [{ apiKey: [] }],
            params: CompletionParams,
            querystring: queries[dialect.name],
            response: { '4xx': error, '5xx': error },
          },
        },
        async ({ identity, params, query, headers }, reply) => {
          const after = query.starting_after ?? lastEventIdOf(headers['last-event-id']) ?? 0
          const includeUsage = query.include_usage && query.include_usage === 'true'
          return resume(deps, dialect, { accountId: identity.accountId, id: params.id, after, includeUsage }, reply)
        },
      )
  }
}

type Resumed = { accountId: AccountId; id: CompletionId; after: number; includeUsage: boolean | undefined }

async function resume(
  deps: StreamCompletionDeps,
  dialect: Dialect,
  { accountId, id, after, includeUsage }: Resumed,
  reply: FastifyReply,
) {
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) throw notFound(id)
  const live = await deps.relay.recordOf(id)
  // Lost with Redis, or long ended: what was said before cannot be continued.
  if (!live && after > 0) throw streamExpired()
  if (!live && record.end) storedOrThrow(await endOf(deps, { accountId, id }), { id })
  const hasSpoken = live !== undefined && live.lastSequence > 0
  if (live && !hasSpoken && !live.outcome && after > 0) throw streamExpired()

  const attached = { id, accountId, dialect, model: record.model, deadlineAt: record.deadlineAt.getTime() }
  const waitForFirst = hasSpoken || record.end !== undefined
  const options = { includeUsage: includeUsage ?? live?.includeUsage ?? false, after, waitForFirst }
  return answerStreamAgain(deps, attached, options, reply)
}

/** What a browser's EventSource sends when it comes back. */
function lastEventIdOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  throw new ServiceError('invalid_request', "'Last-Event-ID' must be the id of an event.", { param: 'Last-Event-ID' })
}
