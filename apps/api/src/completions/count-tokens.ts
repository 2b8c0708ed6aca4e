import { estimateTokens, promptText } from '@weir/backends'
import { type RequestDraft, imagesIn } from '@weir/contracts'
import { anthropic } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { createCountTurns } from './count-turns.ts'
import type { CreateDeps } from './create.ts'
import { MessagesErrorBody, TokenCount } from './message-schemas.ts'

/** What vendors make of an image of ordinary size. */
const TOKENS_PER_IMAGE = 1_500
/** Chat templates wrap each message in a few tokens of their own. */
const TOKENS_PER_MESSAGE = 4

/** POST /v1/messages/count_tokens: about how much a model would read. It costs nothing, and asks no backend. */
export function countTokens(deps: Pick<CreateDeps, 'bodyLimitBytes' | 'bodyRoom'>) {
  const inTurn = createCountTurns()
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/messages/count_tokens',
      {
        bodyLimit: deps.bodyLimitBytes,
        onRequest: deps.bodyRoom.forBody,
        schema: {
          summary: 'Count the tokens of a prompt',
          description:
            'An estimate, within some percent for text: backends have tokenizers of their own, and what they report is charged. Free, and not counted by the rate limits of completions; more than 32 at once of an account get 429.',
          tags: ['messages'],
          security: [{ apiKey: [] }],
          body: anthropic.CountTokensRequest,
          response: { 200: TokenCount, '4xx': MessagesErrorBody, '5xx': MessagesErrorBody },
        },
        preValidation: async (request) => {
          anthropic.assertBounded(request.body)
          request.body = anthropic.withoutNulls(request.body) as never
        },
      },
      async ({ identity, body }) => {
        const draft = anthropic.toCanonicalCount(body)
        return { input_tokens: await inTurn(identity.accountId, () => promptTokensOf(draft)) }
      },
    )
  }
}

async function promptTokensOf(draft: RequestDraft): Promise<number> {
  const said = await estimateTokens(promptText(draft))
  return said + draft.messages.length * TOKENS_PER_MESSAGE + imagesIn(draft) * TOKENS_PER_IMAGE
}
