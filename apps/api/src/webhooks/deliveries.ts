import { ServiceError } from '@weir/contracts'
import type { WebhookDeliveries } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { listOf } from '../listing.ts'
import { renderAttempt, renderDelivery } from './render.ts'
import { Delivery, DeliveryParams, DeliveryQuery, DeliveryWithAttempts } from './schemas.ts'
import { disabledEndpoint, noDelivery, refusals, shared } from './shared.ts'

export type DeliveriesDeps = {
  webhookDeliveries: Pick<WebhookDeliveries, 'list' | 'find' | 'attemptsOf' | 'redeliver'>
}

/** /v1/webhook_deliveries: what was sent to whom, how each try went, and the same once more. */
export function deliveries({ webhookDeliveries }: DeliveriesDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const ofOne = { ...shared, params: DeliveryParams }

    app.get(
      '/v1/webhook_deliveries',
      {
        schema: {
          ...shared,
          summary: 'List webhook deliveries, newest first',
          querystring: DeliveryQuery,
          response: { 200: listSchemaOf(Delivery), ...refusals },
        },
      },
      async ({ identity, query: { limit, after, endpoint_id: endpointId, event_type: eventType, state } }) => {
        const filter = { endpointId, eventType, state }
        const fetch = (limit: number) => webhookDeliveries.list(identity.accountId, filter, { limit, after })
        return listOf(limit, fetch, ({ id }) => id, renderDelivery)
      },
    )

    app.get(
      '/v1/webhook_deliveries/:id',
      {
        schema: {
          ...ofOne,
          summary: 'Show a webhook delivery with every try at it',
          description: 'Of what an endpoint has answered the status alone is kept.',
          response: { 200: DeliveryWithAttempts, ...refusals },
        },
      },
      async ({ identity: { accountId }, params: { id } }) => {
        const delivery = await webhookDeliveries.find(accountId, id)
        if (!delivery) throw noDelivery(id)
        const attempts = await webhookDeliveries.attemptsOf(id)
        return { ...renderDelivery(delivery), attempts: attempts.map(renderAttempt) }
      },
    )

    app.post(
      '/v1/webhook_deliveries/:id/redeliver',
      {
        schema: {
          ...ofOne,
          summary: 'Send an event once more',
          description: 'Now, with the same `webhook-id`; if it fails it is tried again as at first.',
          response: { 200: Delivery, ...refusals },
        },
      },
      async ({ identity: { accountId }, params: { id } }) => {
        const redelivery = await webhookDeliveries.redeliver(accountId, id)
        if (redelivery === 'not_wanted') throw disabledEndpoint()
        if (redelivery === 'worn_out')
          throw new ServiceError(
            'invalid_request',
            'This event was sent as often as it may be. Ask for its subject instead.',
          )
        const delivery = await webhookDeliveries.find(accountId, id)
        if (!delivery) throw noDelivery(id)
        return renderDelivery(delivery)
      },
    )
  }
}
