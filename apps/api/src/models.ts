import { type Catalogue, type Model, ServiceError } from '@weir/contracts'
import type { PriceBook } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody, ModelList, ModelObject } from './answer-schemas.ts'
import { refuseUnknownQuery } from './http/known-query.ts'
import { renderTokenPrice } from './render-ledger.ts'

/** When this process learned of its models, in seconds since the epoch: the wire wants a time for each. */
const loadedAt = Math.floor(Date.now() / 1_000)

export type ModelsDeps = { catalogue: Pick<Catalogue, 'find' | 'models'>; prices: Pick<PriceBook, 'priceOf'> }

/** GET /v1/models and one of them, with the prices that are in force. */
export function models({ catalogue, prices }: ModelsDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    app.addHook('preValidation', refuseUnknownQuery)
    const shared = { tags: ['models'], security: [{ apiKey: [] }] }

    app.get(
      '/v1/models',
      { schema: { ...shared, summary: 'List models', response: { 200: ModelList } } },
      async () => ({
        object: 'list' as const,
        data: catalogue.models.map((model) => renderModel(model, prices)),
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
        return renderModel(model, prices)
      },
    )
  }
}

const renderModel = (model: Model, prices: ModelsDeps['prices']) => ({
  id: model.id,
  object: 'model' as const,
  created: loadedAt,
  owned_by: model.targets[0]!.backend,
  aliases: model.aliases,
  context_window: model.contextWindow,
  max_output_tokens: model.maxOutputTokens,
  price: renderTokenPrice(prices.priceOf(model.id).price),
})
