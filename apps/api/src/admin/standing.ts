import type { Ledger } from '@weir/ledger'
import type { Account, AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AccountWithCredits } from '../answer-schemas.ts'
import { reason } from '../inputs.ts'
import { renderBalance } from '../render-ledger.ts'
import { type AmendDeps, amended } from './amend.ts'
import { AccountParams, adminSchema, existing, refusals } from './shared.ts'

export type StandingDeps = AmendDeps & {
  accounts: AccountStore
  ledger: Pick<Ledger, 'balanceOf' | 'statusOf' | 'setShortage'>
}

/** How an account stands: whether it may start completions, and what it gets when it cannot pay for them. */
export function standing(deps: StandingDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const common = { ...adminSchema, params: AccountParams, response: { 200: AccountWithCredits, ...refusals } }

    app.get(
      '/accounts/:id',
      { schema: { ...common, summary: 'Show an account and its credits' } },
      async ({ params }) => renderStanding(deps, await existing(deps.accounts, params.id)),
    )

    app.patch(
      '/accounts/:id',
      {
        schema: {
          ...common,
          summary: 'Say what the account gets when a request costs more than there is',
          body: z.strictObject({ shortage: z.enum(['refuse', 'clamp']) }),
        },
      },
      async ({ params, body }) => {
        const account = await existing(deps.accounts, params.id)
        await deps.ledger.setShortage(params.id, body.shortage)
        return renderStanding(deps, account)
      },
    )

    for (const op of ['freeze', 'unfreeze'] as const) {
      app.post(
        `/accounts/:id/${op}`,
        {
          schema: {
            ...common,
            summary: op === 'freeze' ? 'Start no new completions; those that run go on' : 'Start completions again',
            body: z.strictObject({ reason }),
          },
        },
        async ({ params: { id: accountId }, body }) => {
          const account = await existing(deps.accounts, accountId)
          const { frozen } = await deps.ledger.statusOf(accountId)
          // What stands already is no action.
          if (frozen !== (op === 'freeze')) await amended(deps, { op, accountId, ...body })
          return renderStanding(deps, account)
        },
      )
    }
  }
}

async function renderStanding({ ledger }: StandingDeps, account: Account) {
  const [balance, status] = await Promise.all([ledger.balanceOf(account.id), ledger.statusOf(account.id)])
  return { ...renderAccount(account), ...status, credits: renderBalance(balance) }
}

export const renderAccount = ({ id, name, createdAt }: Account) => ({
  id,
  object: 'account' as const,
  name,
  created_at: createdAt.toISOString(),
})
