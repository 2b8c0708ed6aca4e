import { type CompletionView, type ViewDeps, viewOf } from '@weir/completions'
import { type AccountId, type AttemptRecord, type CompletionId, ServiceError, mintedAt } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ErrorBody } from '../answer-schemas.ts'
import type { Attached } from './answering.ts'
import { CompletionObject, CompletionParams } from './schemas.ts'

export type ShowDeps = ViewDeps

/** GET /v1/chat/completions/{id}: a completion at any time of its life. */
export function showCompletions(deps: ShowDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/chat/completions/:id',
      {
        schema: {
          summary: 'Show a completion',
          description:
            'Its status, its place in the queue while it waits, every attempt at it, and what it said for as long as that is kept.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          params: CompletionParams,
          response: { 200: CompletionObject, '4xx': ErrorBody, '5xx': ErrorBody },
        },
      },
      async ({ identity, params }) => showCompletion(deps, identity.accountId, params.id),
    )
  }
}

/** As it stands now. What belongs to another account is not there. */
export async function showCompletion(deps: ShowDeps, accountId: AccountId, id: CompletionId) {
  const view = await viewOf(deps, accountId, id)
  if (!view) throw notFound(id)
  return renderView(view)
}

export const notFound = (id: CompletionId) =>
  new ServiceError('not_found', `There is no completion ${id}.`, { param: 'id' })

/** An answer in the shape of a chat completion, with all that we know beside it. What does not apply is left out. */
export function renderView({ record, status, queuePosition, choices, error, attempts }: CompletionView) {
  const { id, model, background, stream, metadata, deadlineAt, end } = record
  return {
    id,
    object: 'chat.completion' as const,
    created: Math.floor(mintedAt(id) / 1_000),
    model,
    status,
    background,
    stream,
    metadata,
    queue_position: queuePosition,
    expires_at: deadlineAt.toISOString(),
    ended_at: end?.endedAt.toISOString(),
    choices: status === 'completed' ? choices.map(openai.renderChoice) : [],
    usage: end && openai.renderUsage({ ...end, clampedTo: end.clampedTo ?? undefined }),
    served_by: end?.servedBy ?? undefined,
    error: error && openai.renderError(new ServiceError(error.code, error.message)).error,
    attempts: attempts.map(renderAttempt),
  }
}

/** One that was accepted just now. */
export const renderAccepted = ({ id, model, deadlineAt, background = false, metadata = {} }: Attached) => ({
  id,
  object: 'chat.completion' as const,
  created: Math.floor(mintedAt(id) / 1_000),
  model,
  status: 'queued' as const,
  background,
  stream: false,
  metadata,
  expires_at: new Date(deadlineAt).toISOString(),
  choices: [],
  attempts: [],
})

const renderAttempt = ({ attempt, worker, target, startedAt, endedAt, end, error }: AttemptRecord) => ({
  attempt,
  worker,
  target: target ?? null,
  started_at: new Date(startedAt).toISOString(),
  ended_at: endedAt === undefined ? null : new Date(endedAt).toISOString(),
  outcome: end ?? ('running' as const),
  error: error ?? null,
})
