import { openai } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ChatCompletion, ErrorBody } from '../answer-schemas.ts'
import { type CreateDeps, createCompletion } from './create.ts'
import { CompletionObject } from './schemas.ts'

/** POST /v1/chat/completions: OpenAI's. */
export function chatCompletions(deps: CreateDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/chat/completions',
      {
        bodyLimit: deps.bodyLimitBytes,
        onRequest: deps.bodyRoom.forBody,
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
        const { body } = request
        const understood = { draft: openai.toCanonical(body), wish: openai.wishOf(body), body }
        return createCompletion(deps, openai.dialect, understood, request, reply) as never
      },
    )
  }
}
