import { type AccountId, type KeyId, ServiceError } from '@weir/contracts'
import type { Ledger } from '@weir/ledger'
import type { ApiKeyStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { creditsOrNone } from '../inputs.ts'
import { KeyLimits } from '../ledger-schemas.ts'
import { renderKeyLimits } from '../render-ledger.ts'
import { KeyParams, adminSchema, refusals } from './shared.ts'

export type KeyLimitsDeps = {
  apiKeys: Pick<ApiKeyStore, 'find'>
  ledger: Pick<Ledger, 'setKeyLimit' | 'keyLimitsOf'>
}

const most = creditsOrNone.nullable().optional().describe('null takes the limit away, leaving it out leaves it')
const NewLimits = z.strictObject({ day: most, month: most, total: most })

/** What single keys may spend. */
export function keyLimits(deps: KeyLimitsDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const url = '/accounts/:id/keys/:key_id/limits'
    const common = { ...adminSchema, params: KeyParams, response: { 200: KeyLimits, ...refusals } }

    app.get(
      url,
      { schema: { ...common, summary: 'Show what a key may spend' } },
      async ({ params: { id, key_id: keyId } }) => {
        await existingKey(deps, id, keyId)
        return renderKeyLimits(await deps.ledger.keyLimitsOf(id, keyId))
      },
    )

    app.put(
      url,
      { schema: { ...common, summary: 'Limit what a key may spend in a day, a month or altogether', body: NewLimits } },
      async ({ params: { id, key_id: keyId }, body }) => {
        await existingKey(deps, id, keyId)
        for (const period of ['day', 'month', 'total'] as const) {
          const amount = body[period]
          if (amount !== undefined) await deps.ledger.setKeyLimit(id, keyId, period, amount)
        }
        return renderKeyLimits(await deps.ledger.keyLimitsOf(id, keyId))
      },
    )
  }
}

export async function existingKey(
  { apiKeys }: Pick<KeyLimitsDeps, 'apiKeys'>,
  id: AccountId,
  keyId: KeyId,
): Promise<void> {
  if (await apiKeys.find(id, keyId)) return
  throw new ServiceError('not_found', `Account ${id} has no key ${keyId}.`, { param: 'key_id' })
}
