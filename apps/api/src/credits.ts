import type { Ledger } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ErrorBody, listSchemaOf } from './answer-schemas.ts'
import { EntriesQuery, type EntriesDeps, entriesOf } from './entries.ts'
import { refuseUnknownQuery } from './http/known-query.ts'
import { Credits, Entry } from './ledger-schemas.ts'
import { renderBalance, renderGrant } from './render-ledger.ts'

export type CreditsDeps = EntriesDeps & {
  ledger: Pick<Ledger, 'balanceOf' | 'spendableGrantsOf'>
}

/** GET /v1/credits: what the account of the key has, and every movement that led there. */
export function credits(deps: CreditsDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    app.addHook('preValidation', refuseUnknownQuery)
    const shared = { tags: ['credits'], security: [{ apiKey: [] }] }

    app.get(
      '/v1/credits',
      {
        schema: {
          ...shared,
          summary: 'Show the credits of your account',
          response: { 200: Credits, '4xx': ErrorBody },
        },
      },
      async ({ identity }) => {
        const [balance, grants] = await Promise.all([
          deps.ledger.balanceOf(identity.accountId),
          deps.ledger.spendableGrantsOf(identity.accountId),
        ])
        return { object: 'credits' as const, ...renderBalance(balance), grants: grants.map(renderGrant) }
      },
    )

    app.get(
      '/v1/credits/entries',
      {
        schema: {
          ...shared,
          summary: 'List every movement of your credits, newest first',
          querystring: EntriesQuery,
          response: { 200: listSchemaOf(Entry), '4xx': ErrorBody },
        },
      },
      ({ identity, query }) => entriesOf(deps, identity.accountId, query),
    )
  }
}
