import { type AccountId, KeyId, ServiceError } from '@weir/contracts'
import type { ApiKeyStore, UsagePosition, UsageStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody, listSchemaOf } from './answer-schemas.ts'
import { modelName, periodOf, time, usagePosition, wholeNumber } from './inputs.ts'
import { Usage } from './ledger-schemas.ts'
import { listOf } from './listing.ts'
import { renderUsage } from './render-ledger.ts'

export type UsageDeps = { usage: UsageStore; apiKeys: Pick<ApiKeyStore, 'find'> }

const MOST_ROWS = 10_000

const Groups = z.array(z.enum(['model', 'key'])).max(2)

export const UsageQuery = z.strictObject({
  bucket: z.enum(['hour', 'day', 'month']).default('day'),
  from: time.optional().describe('Hours that begin from then on count; by default the last thirty days'),
  to: time.optional().describe('Up to then; by default now'),
  group_by: z
    .string()
    .default('model')
    .transform((list, context) => {
      const groups = Groups.safeParse(list === '' || list === 'none' ? [] : list.split(','))
      if (groups.success) return groups.data
      context.addIssue({ code: 'custom', message: 'must be model, key, both as model,key, or none' })
      return z.NEVER
    })
    .describe('`model`, `key`, both separated by a comma, or `none`'),
  model: modelName.optional().describe('Only of this model'),
  key_id: KeyId.optional().describe('Only of this key'),
  limit: wholeNumber(MOST_ROWS).default(MOST_ROWS),
  after: usagePosition.optional().describe('The last_id of the page before'),
})

/** What an account has used, oldest first. A key of another account is as unknown as none. */
export async function usageOf(deps: UsageDeps, accountId: AccountId, query: z.infer<typeof UsageQuery>) {
  const { bucket, group_by: groupBy, model, key_id: keyId, after } = query
  const period = periodOf(query)
  if (keyId !== undefined && !(await deps.apiKeys.find(accountId, keyId)))
    throw new ServiceError('not_found', `There is no key ${keyId}.`, { param: 'key_id' })
  return listOf(
    query.limit,
    (limit) => deps.usage.usageOf(accountId, { bucket, ...period, groupBy, model, keyId, limit, after }),
    cursorOf,
    renderUsage,
  )
}

const cursorOf = ({ startsAt, model, keyId }: UsagePosition): string =>
  Buffer.from(JSON.stringify([startsAt, model, keyId])).toString('base64url')

/** GET /v1/usage: what the account of the key has used. */
export function usage(deps: UsageDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/usage',
      {
        schema: {
          summary: 'Show what your account has used, by hour, day or month',
          tags: ['credits'],
          security: [{ apiKey: [] }],
          querystring: UsageQuery,
          response: { 200: listSchemaOf(Usage), '4xx': ErrorBody },
        },
      },
      ({ identity, query }) => usageOf(deps, identity.accountId, query),
    )
  }
}
