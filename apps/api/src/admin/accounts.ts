import { AccountId } from '@weir/contracts'
import type { Ledger } from '@weir/ledger'
import type { Account, AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import * as answers from '../answer-schemas.ts'
import { renderBalance } from '../credits.ts'
import { AccountParams, Named, adminSchema, existing, limit, pageOf } from './shared.ts'

export function accounts(deps: { accounts: AccountStore; ledger: Pick<Ledger, 'balanceOf'> }) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/accounts',
      { schema: { ...adminSchema, summary: 'Create an account', body: Named, response: { 201: answers.Account } } },
      async ({ body }, reply) => reply.code(201).send(renderAccount(await deps.accounts.create(body.name))),
    )

    app.get(
      '/accounts',
      {
        schema: {
          ...adminSchema,
          summary: 'List accounts, newest first',
          querystring: z.object({ limit, after: AccountId.optional() }),
          response: { 200: answers.listOf(answers.Account) },
        },
      },
      async ({ query: { limit, after } }) => {
        const { data, ...page } = await pageOf(
          limit,
          (limit) => deps.accounts.list({ limit, after }),
          ({ id }) => id,
        )
        return { object: 'list' as const, data: data.map(renderAccount), ...page }
      },
    )

    app.get(
      '/accounts/:id',
      {
        schema: {
          ...adminSchema,
          summary: 'Show an account and its credits',
          params: AccountParams,
          response: { 200: answers.Account.extend({ credits: answers.Credits.omit({ object: true }) }) },
        },
      },
      async ({ params }) => ({
        ...renderAccount(await existing(deps.accounts, params.id)),
        credits: renderBalance(await deps.ledger.balanceOf(params.id)),
      }),
    )
  }
}

const renderAccount = ({ id, name, createdAt }: Account) => ({
  id,
  object: 'account' as const,
  name,
  created_at: createdAt.toISOString(),
})
