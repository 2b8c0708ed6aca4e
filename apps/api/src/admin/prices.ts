import { type Catalogue, PriceId, ServiceError } from '@weir/contracts'
import type { PriceVersion, Prices } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { limit, modelName } from '../inputs.ts'
import * as schemas from '../ledger-schemas.ts'
import { listOf } from '../listing.ts'
import { renderPrice } from '../render-ledger.ts'
import { NewPrice, changedPrice, refused, replacedBy } from './new-price.ts'
import { adminSchema, refusals } from './shared.ts'

export type PricesDeps = {
  catalogue: Pick<Catalogue, 'find'>
  priceVersions: Pick<Prices, 'set' | 'current' | 'history'>
}

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
          summary: 'Change the price of a model, from now or from a time to come; parts not named stay',
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
        const versions = (await deps.priceVersions.current()).filter((version) => version.model === model.id)
        const before = replacedBy(versions, effectiveAt)?.price ?? model.price
        const version = await deps.priceVersions.set(model.id, changedPrice(before, body), effectiveAt)
        return reply.code(201).send(shown(version))
      },
    )
  }
}
