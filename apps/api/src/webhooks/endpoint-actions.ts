import type { WebhookDeliveries, WebhookEndpoints } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { type TrialDeps, createTrials } from './trials.ts'
import { renderWithSecret } from './render.ts'
import {
  EndpointParams,
  EndpointWithSecret,
  MOST_AT_ONCE,
  Redelivered,
  Redelivery,
  Rotation,
  Trial,
  TrialResult,
} from './schemas.ts'
import { disabledEndpoint, noEndpoint, refusals, shared } from './shared.ts'

export type EndpointActionsDeps = TrialDeps & {
  webhookEndpoints: Pick<WebhookEndpoints, 'find' | 'rotate'>
  webhookDeliveries: Pick<WebhookDeliveries, 'redeliverRange'>
}

/** POST /v1/webhook_endpoints/{id}/…: a new secret, a sample event, what happened once more. */
export function endpointActions(deps: EndpointActionsDeps) {
  const trials = createTrials(deps)
  const { webhookEndpoints, webhookDeliveries } = deps

  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const ofOne = { ...shared, params: EndpointParams }

    app.post(
      '/v1/webhook_endpoints/:id/rotate_secret',
      {
        schema: {
          ...ofOne,
          summary: 'Give a webhook endpoint a new signing secret',
          body: Rotation,
          response: { 200: EndpointWithSecret, ...refusals },
        },
      },
      async ({ identity: { accountId }, params: { id }, body }) => {
        const rotated = await webhookEndpoints.rotate(accountId, id, {
          keepOld: body.keep_old_secret_active_for_24_hours,
        })
        if (!rotated) throw noEndpoint(id)
        return renderWithSecret(rotated)
      },
    )

    app.post(
      '/v1/webhook_endpoints/:id/test',
      {
        schema: {
          ...ofOne,
          summary: 'Send a sample event, about something that does not exist',
          description:
            'Once, now, and signed as any other, with `"test": true` in its body. It is not listed among the deliveries.',
          body: Trial,
          response: { 200: TrialResult, ...refusals },
        },
      },
      async ({ identity: { accountId }, params: { id }, body: { event_type } }) => ({
        object: 'webhook_endpoint.test' as const,
        webhook_endpoint_id: id,
        event_type,
        status_code: await trials.statusOf(accountId, id, event_type),
        success: true as const,
      }),
    )

    app.post(
      '/v1/webhook_endpoints/:id/redeliver',
      {
        schema: {
          ...ofOne,
          summary: 'Send what has happened in a time once more',
          description: `By default what could not be delivered; \`pending\` is tried now instead of when it is due. Up to ${MOST_AT_ONCE} deliveries at once, oldest first.`,
          body: Redelivery,
          response: { 200: Redelivered, ...refusals },
        },
      },
      async ({ identity: { accountId }, params: { id }, body: { since, until = new Date(), state, after } }) => {
        const endpoint = await webhookEndpoints.find(accountId, id)
        if (!endpoint) throw noEndpoint(id)
        if (endpoint.disabledFor !== null) throw disabledEndpoint()
        const range = { endpointId: id, since, until, state, after, limit: MOST_AT_ONCE }
        const begun = await webhookDeliveries.redeliverRange(accountId, range)
        return {
          object: 'webhook_endpoint.redelivery' as const,
          webhook_endpoint_id: id,
          count: begun.length,
          has_more: begun.length === MOST_AT_ONCE,
          last_id: begun.at(-1) ?? null,
        }
      },
    )
  }
}
