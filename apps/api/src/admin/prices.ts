import { tokenPriceOf } from '@weir/backends'
import { type Catalogue, type Microcredits, type Price, PriceId, ServiceError, formatCredits } from '@weir/contracts'
import type { PriceVersion, Prices } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { creditsOrNone, limit, modelName, time } from '../inputs.ts'
import * as schemas from '../ledger-schemas.ts'
import { listOf } from '../listing.ts'
import { renderPrice } from '../render-ledger.ts'
import { adminSchema, refusals } from './shared.ts'

export type PricesDeps = {
  catalogue: Pick<Catalogue, 'find'>
  priceVersions: Pick<Prices, 'set' | 'current' | 'history'>
}

const NewPrice = z.strictObject({
  model: modelName.describe('A model id or alias'),
  input: creditsOrNone,
  cached_input: creditsOrNone.optional().describe('By default that of input'),
  cache_write: creditsOrNone.optional().describe('For input that is written to a cache; by default that of input'),
  output: creditsOrNone,
  reasoning: creditsOrNone.optional().describe('By default that of output'),
  per: z.int().min(1).max(1_000_000_000).default(1_000_000).describe('Tokens that the prices before this are for'),
  image: creditsOrNone.optional().describe('For each image in a request, beside its tokens; by default nothing'),
  request: creditsOrNone.optional().describe('For each completion that is charged; by default nothing'),
  minimum: creditsOrNone.optional().describe('The least that a completion costs which is charged'),
  batch_discount: z.int().min(0).max(100).optional().describe('Percent that a line of a batch pays less'),
  effective_at: time.optional().describe('From then on; by default at once'),
})
type NewPrice = z.infer<typeof NewPrice>

/** What models cost. A price is never changed: a new one takes its place, and what was quoted keeps the old one. */
export function prices(deps: PricesDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    // What was set for a model stays when it leaves the catalogue.
    const shown = (version: PriceVersion) =>
      renderPrice(version, deps.catalogue.find(version.model)?.id === version.model)

    app.get(
      '/prices',
      {
        schema: {
          ...adminSchema,
          summary: 'List the prices in force and those to come, the earliest first',
          response: { 200: listSchemaOf(schemas.Price) },
        },
      },
      async () => {
        const data = (await deps.priceVersions.current()).map(shown)
        return { object: 'list' as const, data, has_more: false, last_id: data.at(-1)?.id ?? null }
      },
    )

    app.get(
      '/prices/history',
      {
        schema: {
          ...adminSchema,
          summary: 'List all prices of a model, the newest first',
          querystring: z.strictObject({ model: modelName, limit, after: PriceId.optional() }),
          response: { 200: listSchemaOf(schemas.Price), ...refusals },
        },
      },
      async ({ query: { model, limit, after } }) => {
        // A model that has left the catalogue still has its history.
        const id = deps.catalogue.find(model)?.id ?? model
        const fetch = (limit: number) => deps.priceVersions.history(id, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, shown)
      },
    )

    app.post(
      '/prices',
      {
        schema: {
          ...adminSchema,
          summary: 'Set the price of a model, from now or from a time to come',
          body: NewPrice,
          response: { 201: schemas.Price, ...refusals },
        },
      },
      async ({ body }, reply) => {
        const model = deps.catalogue.find(body.model)
        if (!model) throw new ServiceError('model_not_found', `There is no model '${body.model}'.`, { param: 'model' })
        const { effective_at: effectiveAt } = body
        if (effectiveAt && effectiveAt.getTime() < Date.now())
          throw refused('effective_at', "'effective_at' must not lie in the past: leave it out to mean now.")
        const version = await deps.priceVersions.set(model.id, priceOf(body), effectiveAt)
        return reply.code(201).send(shown(version))
      },
    )
  }
}

/** Read as a file's is, so that the same price can be said in either. */
function priceOf({ input, output, per, batch_discount: discount, ...price }: NewPrice): Price {
  const given = (amount: Microcredits | undefined) => (amount === undefined ? undefined : formatCredits(amount))
  const result = tokenPriceOf({
    input: formatCredits(input),
    cachedInput: given(price.cached_input),
    cacheWrite: given(price.cache_write),
    output: formatCredits(output),
    reasoning: given(price.reasoning),
    per: String(per),
    image: given(price.image),
    request: given(price.request),
    minimum: given(price.minimum),
    batchDiscount: discount === undefined ? undefined : String(discount),
  })
  if ('price' in result) return result.price
  const { field, message } = result.problems[0]!
  throw refused(field, `'${field}' ${message}.`)
}

const refused = (param: string, message: string) => new ServiceError('invalid_request', message, { param })
