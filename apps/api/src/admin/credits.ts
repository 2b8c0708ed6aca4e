import { GrantId, ServiceError, creditsNumber, formatCredits, parseCredits } from '@weir/contracts'
import type { Entry, Grant, Ledger } from '@weir/ledger'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import * as answers from '../answer-schemas.ts'
import { AccountParams, adminSchema, existing, limit, pageOf, text } from './shared.ts'

/** The most that one grant may give: a typing error should not make a fortune. */
const MAX_GRANT = 1_000_000_000_000_000n

const NewGrant = z.strictObject({
  credits: z
    .union([z.number(), z.string()], { error: 'must be a number or decimal text' })
    .refine((credits) => isGrantable(parseCredits(credits)), {
      error: 'must be more than 0, at most 1000000000, with at most six decimals',
    })
    .describe('Credits, as a number or as decimal text'),
  kind: z.enum(['promotional', 'subscription', 'purchased']),
  reference: text.optional().describe('Giving again with the same reference gives once'),
})

const isGrantable = (amount: bigint | undefined): boolean => amount !== undefined && amount > 0n && amount <= MAX_GRANT

export function credits(deps: { accounts: AccountStore; ledger: Ledger }) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/accounts/:id/grants',
      {
        schema: {
          ...adminSchema,
          summary: 'Give credits',
          params: AccountParams,
          body: NewGrant,
          response: { 200: answers.Grant, 201: answers.Grant },
        },
      },
      async ({ params, body: { credits, kind, reference } }, reply) => {
        await existing(deps.accounts, params.id)
        const amount = parseCredits(credits)!
        const { grant, repeated } = await deps.ledger.give({ accountId: params.id, kind, amount, reference })
        if (grant.amount !== amount || grant.kind !== kind) {
          const message = `The reference '${reference}' was used before, for ${formatCredits(grant.amount)} ${grant.kind} credits.`
          throw new ServiceError('invalid_request', message, { param: 'reference' })
        }
        return reply.code(repeated ? 200 : 201).send(renderGrant(grant))
      },
    )

    app.get(
      '/accounts/:id/grants',
      {
        schema: {
          ...adminSchema,
          summary: 'List grants, newest first',
          params: AccountParams,
          querystring: z.object({ limit, after: GrantId.optional() }),
          response: { 200: answers.listOf(answers.Grant) },
        },
      },
      async ({ params, query: { limit, after } }) => {
        await existing(deps.accounts, params.id)
        const { data, ...page } = await pageOf(
          limit,
          (limit) => deps.ledger.grantsOf(params.id, { limit, after }),
          ({ id }) => id,
        )
        return { object: 'list' as const, data: data.map(renderGrant), ...page }
      },
    )

    app.get(
      '/accounts/:id/entries',
      {
        schema: {
          ...adminSchema,
          summary: 'List every movement of credits, newest first',
          params: AccountParams,
          querystring: z.object({ limit, after: z.coerce.number().int().min(1).optional() }),
          response: { 200: answers.listOf(answers.Entry) },
        },
      },
      async ({ params, query: { limit, after } }) => {
        await existing(deps.accounts, params.id)
        const { data, ...page } = await pageOf(
          limit,
          (limit) => deps.ledger.entriesOf(params.id, { limit, before: after }),
          ({ sequence }) => String(sequence),
        )
        return { object: 'list' as const, data: data.map(renderEntry), ...page }
      },
    )
  }
}

const renderGrant = ({ id, kind, amount, balance, reference, createdAt }: Grant) => ({
  id,
  object: 'grant' as const,
  kind,
  credits: creditsNumber(amount),
  balance: creditsNumber(balance),
  reference,
  created_at: createdAt.toISOString(),
})

const renderEntry = ({ sequence, kind, amount, grantId, completionId, balanceAfter, createdAt }: Entry) => ({
  object: 'entry' as const,
  sequence,
  kind,
  credits: creditsNumber(amount),
  grant_id: grantId,
  completion_id: completionId,
  balance_after: balanceAfter === null ? null : creditsNumber(balanceAfter),
  created_at: createdAt.toISOString(),
})
