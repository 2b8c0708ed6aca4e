import { GrantId } from '@weir/contracts'
import type { Ledger } from '@weir/ledger'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { credits, limit, reason, text, time } from '../inputs.ts'
import { Action, Grant } from '../ledger-schemas.ts'
import { listOf } from '../listing.ts'
import { renderAction, renderGrant } from '../render-ledger.ts'
import { type AmendDeps, amended } from './amend.ts'
import { AccountParams, GrantParams, adminSchema, existing, refusals } from './shared.ts'

export type GrantsDeps = AmendDeps & {
  accounts: AccountStore
  ledger: Pick<Ledger, 'grantsOf' | 'grantOfAction'>
}

export const grantFields = {
  kind: z.enum(['promotional', 'subscription', 'purchased']),
  priority: z.int().min(0).max(32_767).optional().describe('Lower ones are drawn first; by default 100'),
  expires_at: time.optional().describe('When what is left of it ends; it can never be changed'),
}
export const reference = text.optional().describe('The same one with the same content happens once')

const NewGrant = z.strictObject({ credits, ...grantFields, reference })
const Revocation = z.strictObject({ reason, reference })

/** What accounts are given. */
export function grants(deps: GrantsDeps) {
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
          response: { 200: Grant, 201: Grant, ...refusals },
        },
      },
      async ({ params, body: { credits: amount, expires_at: expiresAt, ...grant } }, reply) => {
        await existing(deps.accounts, params.id)
        const asked = { op: 'grant', accountId: params.id, amount, expiresAt, ...grant } as const
        const { action, repeated } = await amended(deps, asked)
        const given = (await deps.ledger.grantOfAction(action.id))!
        return reply.code(repeated ? 200 : 201).send(renderGrant(given))
      },
    )

    app.get(
      '/accounts/:id/grants',
      {
        schema: {
          ...adminSchema,
          summary: 'List grants, newest first',
          params: AccountParams,
          querystring: z.strictObject({ limit, after: GrantId.optional() }),
          response: { 200: listSchemaOf(Grant), ...refusals },
        },
      },
      async ({ params, query: { limit, after } }) => {
        await existing(deps.accounts, params.id)
        const fetch = (limit: number) => deps.ledger.grantsOf(params.id, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderGrant)
      },
    )

    app.post(
      '/accounts/:id/grants/:grant_id/revoke',
      {
        schema: {
          ...adminSchema,
          summary: 'End a grant now; what running completions may still need of it is taken when they have ended',
          params: GrantParams,
          body: Revocation,
          response: { 200: Action, ...refusals },
        },
      },
      async ({ params: { id: accountId, grant_id: grantId }, body }) => {
        await existing(deps.accounts, accountId)
        const { action } = await amended(deps, { op: 'revoke', accountId, grantId, ...body })
        return renderAction(action)
      },
    )
  }
}
