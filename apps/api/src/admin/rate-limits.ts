import type { AccountId, KeyId, RateLimits } from '@weir/contracts'
import type { AccountStore, ApiKeyStore, RateLimitStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { existingKey } from './key-limits.ts'
import { AccountParams, KeyParams, adminSchema, existing, refusals } from './shared.ts'

export type RateLimitsDeps = {
  accounts: Pick<AccountStore, 'find'>
  apiKeys: Pick<ApiKeyStore, 'find'>
  rateLimits: RateLimitStore
}

const MOST = 1_000_000_000
const change = (what: string) =>
  z
    .int()
    .min(1)
    .max(MOST)
    .nullable()
    .optional()
    .describe(`${what}; null takes the limit away, leaving it out leaves it`)
const decided = (what: string) => z.int().nullable().describe(`${what}; null where none was decided`)

const CONCURRENT = 'Completions that are waiting or running'
const QUEUED = 'Of those, completions that no worker has begun'
const REQUESTS = 'Requests in any minute'
const TOKENS = 'Tokens in any minute, input and output together'

const NewRateLimits = z.strictObject({
  concurrent: change(CONCURRENT),
  queued: change(QUEUED),
  requests_per_minute: change(REQUESTS),
  tokens_per_minute: change(TOKENS),
})

const RateLimitsBody = z.object({
  object: z.literal('rate_limits'),
  account_id: z.string(),
  key_id: z.string().nullable().describe('null where they are those of the account'),
  concurrent: decided(CONCURRENT),
  queued: decided(QUEUED),
  requests_per_minute: decided(REQUESTS),
  tokens_per_minute: decided(TOKENS),
})

type Params = { id: AccountId; key_id?: KeyId }
type Owner = { id: AccountId; keyId: KeyId | undefined }

/** How much of the service an account, or one key of it, may have: what is not decided here is as the settings say. */
export function rateLimits(deps: RateLimitsDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const owners = [
      { url: '/accounts/:id/rate-limits', params: AccountParams, whose: 'an account' },
      { url: '/accounts/:id/keys/:key_id/rate-limits', params: KeyParams, whose: 'a key' },
    ] as const

    for (const { url, params, whose } of owners) {
      const common = { ...adminSchema, params, response: { 200: RateLimitsBody, ...refusals } }

      app.get(url, { schema: { ...common, summary: `Show the rate limits of ${whose}` } }, async ({ params }) => {
        const owner = await existingOwner(deps, params)
        return render(owner, await deps.rateLimits.find(owner.id, owner.keyId))
      })

      app.put(
        url,
        { schema: { ...common, summary: `Change the rate limits of ${whose}`, body: NewRateLimits } },
        async ({ params, body }) => {
          const owner = await existingOwner(deps, params)
          const { concurrent, queued, requests_per_minute, tokens_per_minute } = body
          return render(
            owner,
            await deps.rateLimits.change(owner.id, owner.keyId, {
              concurrent,
              queued,
              requestsPerMinute: requests_per_minute,
              tokensPerMinute: tokens_per_minute,
            }),
          )
        },
      )

      app.delete(
        url,
        { schema: { ...common, summary: `Take the rate limits of ${whose} away` } },
        async ({ params }) => {
          const owner = await existingOwner(deps, params)
          return render(owner, await deps.rateLimits.change(owner.id, owner.keyId, none))
        },
      )
    }
  }
}

const none = { concurrent: null, queued: null, requestsPerMinute: null, tokensPerMinute: null }

async function existingOwner(deps: RateLimitsDeps, { id, key_id: keyId }: Params): Promise<Owner> {
  await (keyId ? existingKey(deps, id, keyId) : existing(deps.accounts, id))
  return { id, keyId }
}

const render = ({ id, keyId }: Owner, limits: RateLimits) => ({
  object: 'rate_limits' as const,
  account_id: id,
  key_id: keyId ?? null,
  concurrent: limits.concurrent ?? null,
  queued: limits.queued ?? null,
  requests_per_minute: limits.requestsPerMinute ?? null,
  tokens_per_minute: limits.tokensPerMinute ?? null,
})
