import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { EntriesQuery, type EntriesDeps, entriesOf } from '../entries.ts'
import { Entry, Usage } from '../ledger-schemas.ts'
import { type UsageDeps, UsageQuery, usageOf } from '../usage.ts'
import { AccountParams, adminSchema, existing, refusals } from './shared.ts'

export type BooksDeps = EntriesDeps & UsageDeps & { accounts: AccountStore }

/** The same as a customer sees, of any account. */
export function books(deps: BooksDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/accounts/:id/entries',
      {
        schema: {
          ...adminSchema,
          summary: 'List every movement of credits, newest first',
          params: AccountParams,
          querystring: EntriesQuery,
          response: { 200: listSchemaOf(Entry), ...refusals },
        },
      },
      async ({ params, query }) => {
        await existing(deps.accounts, params.id)
        return entriesOf(deps, params.id, query)
      },
    )

    app.get(
      '/accounts/:id/usage',
      {
        schema: {
          ...adminSchema,
          summary: 'Show what an account has used, by hour, day or month',
          params: AccountParams,
          querystring: UsageQuery,
          response: { 200: listSchemaOf(Usage), ...refusals },
        },
      },
      async ({ params, query }) => {
        await existing(deps.accounts, params.id)
        return usageOf(deps, params.id, query)
      },
    )
  }
}
