import type { LedgerHistory } from '@weir/ledger'
import { ActionId, EitherCompletionId, ServiceError } from '@weir/contracts'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { credits, creditsEitherWay, limit, reason } from '../inputs.ts'
import { Action } from '../ledger-schemas.ts'
import { listOf } from '../listing.ts'
import { renderAction } from '../render-ledger.ts'
import { type AmendDeps, amended } from './amend.ts'
import { grantFields, reference } from './grants.ts'
import { AccountParams, adminSchema, existing, refusals } from './shared.ts'

export type CorrectionsDeps = AmendDeps & { accounts: AccountStore; history: Pick<LedgerHistory, 'actionsOf'> }

const Adjustment = z
  .strictObject({ credits: creditsEitherWay, reason, reference, ...z.object(grantFields).partial().shape })
  .describe('Positive credits come as a new grant; negative ones are taken from what is available')
type Adjustment = z.infer<typeof Adjustment>

const Refund = z.strictObject({
  completion_id: EitherCompletionId,
  credits: credits.optional().describe('By default all that is left of what it was charged'),
  reason,
  reference,
})

/** What operators mend, and all that was ever done to an account by hand. */
export function corrections(deps: CorrectionsDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/accounts/:id/adjustments',
      {
        schema: {
          ...adminSchema,
          summary: 'Correct a balance, upwards or downwards',
          params: AccountParams,
          body: Adjustment,
          response: { 200: Action, 201: Action, ...refusals },
        },
      },
      async ({ params: { id: accountId }, body }, reply) => {
        await existing(deps.accounts, accountId)
        const { action, repeated } = await amended(deps, { op: 'adjust', accountId, ...adjustmentOf(body) })
        return reply.code(repeated ? 200 : 201).send(renderAction(action))
      },
    )

    app.post(
      '/accounts/:id/refunds',
      {
        schema: {
          ...adminSchema,
          summary: 'Give back what a completion was charged, to the grants it came from',
          params: AccountParams,
          body: Refund,
          response: { 200: Action, 201: Action, ...refusals },
        },
      },
      async ({ params: { id: accountId }, body }, reply) => {
        const { completion_id: completionId, credits: amount, ...why } = body
        await existing(deps.accounts, accountId)
        const { action, repeated } = await amended(deps, { op: 'refund', accountId, completionId, amount, ...why })
        return reply.code(repeated ? 200 : 201).send(renderAction(action))
      },
    )

    app.get(
      '/accounts/:id/actions',
      {
        schema: {
          ...adminSchema,
          summary: 'List what was done to an account other than by completions, newest first',
          params: AccountParams,
          querystring: z.strictObject({ limit, after: ActionId.optional() }),
          response: { 200: listSchemaOf(Action), ...refusals },
        },
      },
      async ({ params, query: { limit, after } }) => {
        await existing(deps.accounts, params.id)
        const fetch = (limit: number) => deps.history.actionsOf(params.id, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderAction)
      },
    )
  }
}

function adjustmentOf({ credits: amount, kind, priority, expires_at: expiresAt, ...why }: Adjustment) {
  const [unused] =
    Object.entries({ kind, priority, expires_at: expiresAt }).find(([, value]) => value !== undefined) ?? []
  if (amount < 0n && unused !== undefined) {
    const message = `'${unused}' is of the grant that an adjustment upwards gives; this one takes.`
    throw new ServiceError('invalid_request', message, { param: unused })
  }
  return { amount, kind: kind ?? 'promotional', priority, expiresAt, ...why }
}
