import { DEAREST_TOKEN } from '@weir/backends'
import { type Catalogue, type Microcredits, type Price, PriceId, ServiceError } from '@weir/contracts'
import type { Prices } from '@weir/ledger'
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
  output: creditsOrNone,
  per: z.int().min(1).max(1_000_000_000).default(1_000_000).describe('Tokens that the prices are for'),
  effective_at: time.optional().describe('From then on; by default at once'),
})
type NewPrice = z.infer<typeof NewPrice>

/** What models cost. A price is never changed: a new one takes its place, and what was quoted keeps the old one. */
export function prices(deps: PricesDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

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
        const data = (await deps.priceVersions.current()).map(renderPrice)
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
        return listOf(limit, fetch, ({ id }) => id, renderPrice)
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
        const version = await deps.priceVersions.set(model.id, tokenPriceOf(body), effectiveAt)
        return reply.code(201).send(renderPrice(version))
      },
    )
  }
}

const PICOCREDITS_PER_MICROCREDIT = 1_000_000n

/** The price of one token in whole picocredits. */
function tokenPriceOf({ input, cached_input: cachedInput = input, output, per }: NewPrice): Price {
  const each = (param: string, amount: Microcredits) => {
    const picocredits = amount * PICOCREDITS_PER_MICROCREDIT
    if (picocredits % BigInt(per) !== 0n)
      throw refused(param, `'${param}' is finer than one picocredit (0.000000000001 credits) per token.`)
    if (picocredits / BigInt(per) > DEAREST_TOKEN)
      throw refused(param, `'${param}' is more than a thousand credits per token.`)
    return picocredits / BigInt(per)
  }
  return {
    input: each('input', input),
    cachedInput: each('cached_input', cachedInput),
    output: each('output', output),
  }
}

const refused = (param: string, message: string) => new ServiceError('invalid_request', message, { param })
