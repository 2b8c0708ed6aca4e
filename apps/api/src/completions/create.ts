import { type Catalogue, type Model, ServiceError } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { type AdmitDeps, type FollowDeps, admit } from '@weir/completions'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { type AnswerDeps, answerPlain, answerStream } from './answer.ts'
import { ChatCompletion, ErrorBody } from './answer-schemas.ts'

export type ChatCompletionsDeps = AdmitDeps &
  FollowDeps &
  AnswerDeps & { catalogue: Pick<Catalogue, 'find' | 'default'> }

/** POST /v1/chat/completions: everything that can be refused is refused before the first byte. */
export function chatCompletions(deps: ChatCompletionsDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/chat/completions',
      {
        schema: {
          summary: 'Create a chat completion',
          description: 'Waits for the answer, or streams it as server-sent events with `stream: true`.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          body: openai.ChatCompletionRequest,
          response: { 200: ChatCompletion, '4xx': ErrorBody, '5xx': ErrorBody },
        },
        preValidation: async (request) => {
          openai.assertBounded(request.body)
          request.body = openai.withoutNulls(request.body) as never
        },
      },
      async (request, reply) => {
        const model = modelOf(deps.catalogue, request.body.model)
        const canonical = openai.toCanonical(request.body, model)
        const job = await admit(deps, request.identity, model, canonical)
        // Before the first byte: a stream's headers leave at once.
        if (job.clampedTo !== undefined) reply.header('x-weir-clamped-max-tokens', job.clampedTo)
        if (!canonical.stream) return answerPlain(deps, job, reply)
        return answerStream(deps, job, reply, { includeUsage: request.body.stream_options?.include_usage ?? false })
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
