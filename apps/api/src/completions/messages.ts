import { anthropic } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { type CreateDeps, createCompletion } from './create.ts'
import { Message, MessagesErrorBody } from './message-schemas.ts'
import { MessageObject } from './schemas.ts'

/** POST /v1/messages: Anthropic's, in both of its generations. */
export function messages(deps: CreateDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/messages',
      {
        bodyLimit: deps.bodyLimitBytes,
        onRequest: deps.bodyRoom.forBody,
        schema: {
          summary: 'Create a message',
          description:
            'Waits for the answer, streams it as server-sent events with `stream: true`, or answers at once with `background: true`. Betas and queries that are not known are ignored.',
          tags: ['messages'],
          security: [{ apiKey: [] }],
          body: anthropic.MessagesRequest,
          response: { 200: Message, 202: MessageObject, '4xx': MessagesErrorBody, '5xx': MessagesErrorBody },
        },
        preValidation: async (request) => {
          anthropic.assertBounded(request.body)
          request.body = anthropic.withoutNulls(request.body) as never
        },
      },
      async (request, reply) => {
        const { body, headers } = request
        const draft = anthropic.toCanonical(body, headers['anthropic-version'])
        const understood = { draft, wish: anthropic.wishOf(body), body }
        return createCompletion(deps, anthropic.dialect, understood, request, reply) as never
      },
    )
  }
}
