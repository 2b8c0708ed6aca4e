import { type Catalogue, type Model, type Price, ServiceError } from '@weir/contracts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody, ModelList, ModelObject } from './answer-schemas.ts'

/** When this process learned of its models, in seconds since the epoch: the wire wants a time for each. */
const loadedAt = Math.floor(Date.now() / 1_000)

const PRICE_PER_TOKENS = 1_000_000

/** GET /v1/models and one of them. */
export function models({ catalogue }: { catalogue: Pick<Catalogue, 'find' | 'models'> }) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const shared = { tags: ['models'], security: [{ apiKey: [] }] }

    app.get(
      '/v1/models',
      { schema: { ...shared, summary: 'List models', response: { 200: ModelList } } },
      async () => ({
        object: 'list' as const,
        data: catalogue.models.map(renderModel),
      }),
    )

    app.get(
      '/v1/models/:id',
      {
        schema: {
          ...shared,
          summary: 'Show a model',
          params: z.object({ id: z.string() }),
          response: { 200: ModelObject, '4xx': ErrorBody },
        },
      },
      async ({ params }) => {
        const model = catalogue.find(params.id)
        if (!model)
          throw new ServiceError('model_not_found', `The model '${params.id}' does not exist.`, { param: 'model' })
        return renderModel(model)
      },
    )
  }
}

const renderModel = (model: Model) => ({
  id: model.id,
  object: 'model' as const,
  created: loadedAt,
  owned_by: model.targets[0]!.backend,
  aliases: model.aliases,
  context_window: model.contextWindow,
  max_output_tokens: model.maxOutputTokens,
  price: renderPrice(model.price),
})

// One picocredit a token is one microcredit a million tokens.
const renderPrice = ({ input, cachedInput, output }: Price) => ({
  input: Number(input) / 1e6,
  cached_input: Number(cachedInput) / 1e6,
  output: Number(output) / 1e6,
  per: PRICE_PER_TOKENS,
})
