import { EventType } from '@weir/webhooks'
import type { FastifyInstance } from 'fastify'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { type AccountSecretDeps, accountSecret } from './account-secret.ts'
import { type DeliveriesDeps, deliveries } from './deliveries.ts'
import { type EndpointActionsDeps, endpointActions } from './endpoint-actions.ts'
import { type EndpointsDeps, endpoints } from './endpoints.ts'
import { EventTypeList } from './schemas.ts'
import { refusals, shared } from './shared.ts'

export type WebhooksDeps = AccountSecretDeps & DeliveriesDeps & EndpointActionsDeps & EndpointsDeps

/** Who is told of what happens, and what was told. Endpoints are managed in the shapes of OpenAI's API. */
export function webhooks(deps: WebhooksDeps) {
  return async (app: FastifyInstance) => {
    app.addHook('preValidation', refuseUnknownQuery)
    // Clients send no body where there is nothing to say.
    app.addHook('preValidation', async (request) => {
      if (request.method === 'POST' && request.body === undefined) request.body = {}
    })
    await app.register(endpoints(deps))
    await app.register(endpointActions(deps))
    await app.register(deliveries(deps))
    await app.register(accountSecret(deps))
    app.get(
      '/v1/webhook_event_types',
      { schema: { ...shared, summary: 'List the types of events', response: { 200: EventTypeList, ...refusals } } },
      async () => ({ object: 'list' as const, data: EventType.options }),
    )
  }
}
