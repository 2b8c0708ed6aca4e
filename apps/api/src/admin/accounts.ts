import { AccountId } from '@weir/contracts'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Account, listSchemaOf } from '../answer-schemas.ts'
import { limit } from '../inputs.ts'
import { listOf } from '../listing.ts'
import { Named, adminSchema, refusals } from './shared.ts'
import { renderAccount } from './standing.ts'

export function accounts(deps: { accounts: AccountStore }) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/accounts',
      {
        schema: { ...adminSchema, summary: 'Create an account', body: Named, response: { 201: Account, ...refusals } },
      },
      async ({ body }, reply) => reply.code(201).send(renderAccount(await deps.accounts.create(body.name))),
    )

    app.get(
      '/accounts',
      {
        schema: {
          ...adminSchema,
          summary: 'List accounts, newest first',
          querystring: z.strictObject({ limit, after: AccountId.optional() }),
          response: { 200: listSchemaOf(Account), ...refusals },
        },
      },
      async ({ query: { limit, after } }) => {
        const fetch = (limit: number) => deps.accounts.list({ limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderAccount)
      },
    )
  }
}
