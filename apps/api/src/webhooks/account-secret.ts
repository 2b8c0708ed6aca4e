import type { WebhookSecrets } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { renderAccountSecret } from './render.ts'
import { AccountSecret, Rotation } from './schemas.ts'
import { refusals, shared } from './shared.ts'

export type AccountSecretDeps = { webhookSecrets: WebhookSecrets }

/** /v1/webhook_secret: what is sent to the `webhook_url` of a request is signed with. */
export function accountSecret({ webhookSecrets }: AccountSecretDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const response = { 200: AccountSecret, ...refusals }

    app.get(
      '/v1/webhook_secret',
      {
        schema: {
          ...shared,
          summary: "Show the secret that signs what is sent to a request's webhook_url",
          description: 'Every account has one. Endpoints have secrets of their own.',
          response,
        },
      },
      async ({ identity: { accountId } }) => renderAccountSecret(await webhookSecrets.show(accountId)),
    )

    app.post(
      '/v1/webhook_secret/rotate',
      { schema: { ...shared, summary: 'Replace that secret', body: Rotation, response } },
      async ({ identity: { accountId }, body: { keep_old_secret_active_for_24_hours: keepOld } }) =>
        renderAccountSecret(await webhookSecrets.rotate(accountId, { keepOld })),
    )
  }
}
