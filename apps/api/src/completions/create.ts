import { type AdmitDeps, type RejoinDeps, admit, heldBy, submit } from '@weir/completions'
import { type Catalogue, type CompletionId, type CompletionJob, type Model, ServiceError } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { Standing } from '@weir/queue'
import type { IdempotencyKeys, Identity } from '@weir/store'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ChatCompletion, ErrorBody } from '../answer-schemas.ts'
import { rateLimitHeaders } from '../http/rate-limits.ts'
import { type AnswerPlainDeps, accepted, answerPlain, answerPlainAgain } from './answer-plain.ts'
import { type AnswerStreamDeps, answerStream, answerStreamAgain } from './answer-stream.ts'
import { type AskLimits, type Asked, askOf } from './ask.ts'
import { CompletionObject } from './schemas.ts'
import { notFound, showCompletion } from './show-completion.ts'

export type CreateDeps = AdmitDeps &
  AnswerPlainDeps &
  AnswerStreamDeps &
  RejoinDeps & {
    catalogue: Pick<Catalogue, 'find' | 'default'>
    idempotencyKeys: IdempotencyKeys
    askLimits: AskLimits
  }

/** POST /v1/chat/completions: everything that can be refused is refused before the first byte. */
export function createCompletions(deps: CreateDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/chat/completions',
      {
        schema: {
          summary: 'Create a chat completion',
          description:
            'Waits for the answer, streams it as server-sent events with `stream: true`, or answers at once with `background: true`.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          body: openai.ChatCompletionRequest,
          response: { 200: ChatCompletion, 202: CompletionObject, '4xx': ErrorBody, '5xx': ErrorBody },
        },
        preValidation: async (request) => {
          openai.assertBounded(request.body)
          request.body = openai.withoutNulls(request.body) as never
        },
      },
      async (request, reply) => {
        const model = modelOf(deps.catalogue, request.body.model)
        const asked = askOf(deps.askLimits, request, model)
        const held = await heldAlready(deps, request.identity, asked)
        const tellRates = (standing: Standing) => void reply.headers(rateLimitHeaders(standing, request.headers))
        const admitted = held ?? (await admit(deps, request.identity, asked, tellRates))
        if (admitted.kind === 'held') return answerAgain(deps, request.identity, admitted.by, asked, reply)
        return answer(deps, admitted.job, asked, reply)
      },
    )
  }
}

function modelOf(catalogue: Pick<Catalogue, 'find' | 'default'>, name: string | undefined): Model {
  if (name === undefined || name === 'auto') return catalogue.default
  const model = catalogue.find(name)
  if (!model)
    throw new ServiceError(
      'model_not_found',
      `The model '${name}' does not exist. GET /v1/models lists those that do.`,
      { param: 'model' },
    )
  return model
}

/** Whoever repeats a request needs no place, no credits and no rate for it. Two that come at once are told apart by the admission. */
async function heldAlready(deps: CreateDeps, { accountId }: Identity, { idempotency }: Asked) {
  const holder = idempotency && (await deps.idempotencyKeys.holderOf(accountId, idempotency))
  return holder && heldBy(holder)
}

async function answer(deps: CreateDeps, job: CompletionJob, asked: Asked, reply: FastifyReply) {
  // Before the first byte: a stream's headers leave at once.
  if (job.clampedTo !== undefined) reply.header('x-weir-clamped-max-tokens', job.clampedTo)
  reply.header('x-weir-completion-id', job.id)
  if (job.request.stream) return answerStream(deps, job, reply)
  if (!asked.background) return answerPlain(deps, job, asked, reply)
  // It is accepted, whether or not Redis can take it now: the reconciler hands over what was not.
  await submit(deps, job, { replyTo: undefined }).catch(deps.onError)
  return accepted(reply, { ...job, model: job.request.model, background: true, metadata: asked.metadata })
}

/** What an earlier request with the same idempotency key has begun: attached to while it runs, replayed once it has ended. */
async function answerAgain(
  deps: CreateDeps,
  { accountId }: Identity,
  id: CompletionId,
  asked: Asked,
  reply: FastifyReply,
) {
  reply.header('idempotent-replayed', 'true').header('x-weir-completion-id', id)
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) throw notFound(id)
  const { model, background, metadata } = record
  const attached = { id, accountId, model, background, metadata, deadlineAt: record.deadlineAt.getTime() }
  if (asked.request.stream) {
    const options = { includeUsage: asked.includeUsage, after: 0, waitForFirst: record.end !== undefined }
    return answerStreamAgain(deps, attached, options, reply)
  }
  if (!asked.background) return answerPlainAgain(deps, attached, asked, reply)
  return accepted(reply, attached, await showCompletion(deps, accountId, id))
}
