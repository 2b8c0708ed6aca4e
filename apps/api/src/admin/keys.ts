import { KeyId, ServiceError } from '@weir/contracts'
import type { AccountStore, ApiKey, ApiKeyStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import * as answers from '../answer-schemas.ts'
import { limit } from '../inputs.ts'
import { listOf } from '../listing.ts'
import { AccountParams, KeyParams, Named, adminSchema, existing, refusals } from './shared.ts'

export type KeysDeps = {
  accounts: AccountStore
  apiKeys: ApiKeyStore
  announceRevocation: (keyId: KeyId) => Promise<void>
}

export function keys(deps: KeysDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/accounts/:id/keys',
      {
        schema: {
          ...adminSchema,
          summary: 'Create an API key; its secret is shown this once',
          params: AccountParams,
          body: Named,
          response: { 201: answers.NewApiKey, ...refusals },
        },
      },
      async ({ params, body }, reply) => {
        await existing(deps.accounts, params.id)
        const { key, secret } = await deps.apiKeys.create(params.id, body.name)
        return reply.code(201).send({ ...renderKey(key), key: secret })
      },
    )

    app.get(
      '/accounts/:id/keys',
      {
        schema: {
          ...adminSchema,
          summary: 'List API keys, newest first',
          params: AccountParams,
          querystring: z.strictObject({ limit, after: KeyId.optional() }),
          response: { 200: answers.listSchemaOf(answers.ApiKey), ...refusals },
        },
      },
      async ({ params, query: { limit, after } }) => {
        await existing(deps.accounts, params.id)
        const fetch = (limit: number) => deps.apiKeys.list(params.id, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderKey)
      },
    )

    app.delete(
      '/accounts/:id/keys/:key_id',
      {
        schema: {
          ...adminSchema,
          summary: 'Revoke an API key',
          params: KeyParams,
          response: { 200: answers.ApiKey, ...refusals },
        },
      },
      async ({ params: { id, key_id: keyId } }) => {
        const key = await deps.apiKeys.revoke(id, keyId)
        if (!key) throw new ServiceError('not_found', `Account ${id} has no key ${keyId}.`, { param: 'key_id' })
        await deps.announceRevocation(key.id)
        return renderKey(key)
      },
    )
  }
}

const renderKey = ({ id, name, hint, createdAt, revokedAt }: ApiKey) => ({
  id,
  object: 'api_key' as const,
  name,
  hint,
  created_at: createdAt.toISOString(),
  revoked_at: revokedAt && revokedAt.toISOString(),
})
