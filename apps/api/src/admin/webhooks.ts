import type { AccountStore, WebhookDeliveries, WebhookEndpoints } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { limit } from '../inputs.ts'
import { listOf } from '../listing.ts'
import { renderDelivery, renderEndpoint } from '../webhooks/render.ts'
import { Delivery, DeliveryQuery, Endpoint, EndpointQuery } from '../webhooks/schemas.ts'
import { AccountParams, adminSchema, existing, refusals } from './shared.ts'

export type WebhooksOfAccountDeps = {
  accounts: Pick<AccountStore, 'find'>
  webhookEndpoints: Pick<WebhookEndpoints, 'list'>
  webhookDeliveries: Pick<WebhookDeliveries, 'list'>
}

/** Where an account is told of what has ended, and how that went. Its secrets are nobody else's. */
export function webhooksOfAccount({ accounts, webhookEndpoints, webhookDeliveries }: WebhooksOfAccountDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const ofAccount = { ...adminSchema, params: AccountParams }

    app.get(
      '/accounts/:id/webhook_endpoints',
      {
        schema: {
          ...ofAccount,
          summary: 'List webhook endpoints, newest first',
          querystring: EndpointQuery.extend({ limit }),
          response: { 200: listSchemaOf(Endpoint), ...refusals },
        },
      },
      async ({ params: { id: accountId }, query: { limit, after } }) => {
        await existing(accounts, accountId)
        const fetch = (limit: number) => webhookEndpoints.list(accountId, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderEndpoint)
      },
    )

    app.get(
      '/accounts/:id/webhook_deliveries',
      {
        schema: {
          ...ofAccount,
          summary: 'List webhook deliveries, newest first',
          querystring: DeliveryQuery.extend({ limit }),
          response: { 200: listSchemaOf(Delivery), ...refusals },
        },
      },
      async ({ params: { id: accountId }, query: { limit, after, ...filter } }) => {
        await existing(accounts, accountId)
        const asked = { endpointId: filter.endpoint_id, eventType: filter.event_type, state: filter.state }
        const fetch = (limit: number) => webhookDeliveries.list(accountId, asked, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderDelivery)
      },
    )
  }
}
