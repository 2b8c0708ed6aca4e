import { type Catalogue, ServiceError } from '@weir/contracts'
import type { PriceBook } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { MessagesErrorBody } from '../completions/message-schemas.ts'
import { isAnthropic } from '../http/dialect-of.ts'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { pageOf } from './page.ts'
import { type Named, renderModel, renderModelInfo } from './render.ts'
import { ModelInfo, ModelList, ModelObject, ModelPage } from './schemas.ts'

export type ModelsDeps = {
  catalogue: Pick<Catalogue, 'find' | 'models' | 'rules' | 'ruleOf' | 'auto'>
  prices: Pick<PriceBook, 'priceOf'>
}

/** GET /v1/models and one of them, with the prices that are in force, in the shape of either API. */
export function models({ catalogue, prices }: ModelsDeps) {
  const all: Named[] = [
    ...catalogue.models.map((model): Named => ({ kind: 'model', model })),
    // What a request without a model gets has a name as well.
    ...[...catalogue.rules, catalogue.auto].map((rule): Named => ({ kind: 'rule', rule })),
  ]

  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    app.addHook('preValidation', refuseUnknownQuery)
    const shared = { tags: ['models'], security: [{ apiKey: [] }] }
    const errors = z.union([ErrorBody, MessagesErrorBody])

    app.get(
      '/v1/models',
      {
        schema: {
          ...shared,
          summary: 'List models',
          description:
            "With the header `anthropic-version` in the shape of that API, a page at a time by `limit`, `after_id` and `before_id`; else all of them in the shape of OpenAI's.",
          response: { 200: z.union([ModelList, ModelPage]), '4xx': errors },
        },
      },
      async ({ url, headers, query }) => {
        if (!isAnthropic({ url, headers }))
          return { object: 'list' as const, data: all.map((named) => renderModel(named, prices)) }
        const { page, ...rest } = pageOf(all, query)
        return { data: page.map((named) => renderModelInfo(named, prices)), ...rest }
      },
    )

    app.get(
      '/v1/models/:id',
      {
        schema: {
          ...shared,
          summary: 'Show a model',
          description: 'By its id or an alias. An id with a slash is sent percent-encoded.',
          params: z.object({ id: z.string() }),
          response: { 200: z.union([ModelObject, ModelInfo]), '4xx': errors },
        },
      },
      async ({ url, headers, params: { id } }) => {
        const named = namedIn(catalogue, id)
        if (!named) {
          const message = `The model '${id.slice(0, 200)}' does not exist.`
          throw new ServiceError('model_not_found', message, { param: 'model' })
        }
        return isAnthropic({ url, headers }) ? renderModelInfo(named, prices) : renderModel(named, prices)
      },
    )
  }
}

/** What a request with this name would get: as the choice of a model reads it. */
function namedIn(catalogue: ModelsDeps['catalogue'], name: string): Named | undefined {
  const rule = name === 'auto' ? catalogue.auto : catalogue.ruleOf(name)
  if (rule) return { kind: 'rule', rule }
  const model = catalogue.find(name)
  return model && { kind: 'model', model }
}
