import { creditsNumber } from '@weir/contracts'
import type { Balance, Ledger } from '@weir/ledger'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { Credits, ErrorBody } from './answer-schemas.ts'

/** GET /v1/credits: what the account of the key has. */
export function credits({ ledger }: { ledger: Pick<Ledger, 'balanceOf'> }) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/credits',
      {
        schema: {
          summary: 'Show the credits of your account',
          tags: ['credits'],
          security: [{ apiKey: [] }],
          response: { 200: Credits, '4xx': ErrorBody },
        },
      },
      async ({ identity }) => ({
        object: 'credits' as const,
        ...renderBalance(await ledger.balanceOf(identity.accountId)),
      }),
    )
  }
}

export const renderBalance = ({ balance, reserved, available }: Balance) => ({
  balance: creditsNumber(balance),
  reserved: creditsNumber(reserved),
  available: creditsNumber(available),
})
