import { ServiceError } from '@weir/contracts'
import type { WebhookDeliveries, WebhookEndpoints } from '@weir/store'
import type { SendOptions } from '@weir/webhooks'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { listSchemaOf } from '../answer-schemas.ts'
import { listOf } from '../listing.ts'
import { renderEndpoint, renderWithSecret } from './render.ts'
import {
  DeletedEndpoint,
  Endpoint,
  EndpointChanges,
  EndpointParams,
  EndpointQuery,
  EndpointWithSecret,
  NewEndpoint,
} from './schemas.ts'
import { noEndpoint, refusals, shared } from './shared.ts'
import { webhookUrlOf } from './webhook-url.ts'

export type EndpointsDeps = {
  webhookEndpoints: Pick<WebhookEndpoints, 'create' | 'list' | 'find' | 'update' | 'remove'>
  webhookDeliveries: Pick<WebhookDeliveries, 'abandon'>
  webhookSending: Pick<SendOptions, 'addresses'>
}

/** /v1/webhook_endpoints: the places that an account's events are sent to. */
export function endpoints(deps: EndpointsDeps) {
  return async (app: FastifyInstance) => {
    makeAndList(app, deps)
    showAndChange(app, deps)
  }
}

function makeAndList(plain: FastifyInstance, { webhookEndpoints, webhookSending: { addresses } }: EndpointsDeps) {
  const app = plain.withTypeProvider<ZodTypeProvider>()

  app.post(
    '/v1/webhook_endpoints',
    {
      schema: {
        ...shared,
        summary: 'Create a webhook endpoint',
        description:
          'From now on events of these types are sent to it. Its signing secret is shown in this answer alone.',
        body: NewEndpoint,
        response: { 200: EndpointWithSecret, ...refusals },
      },
    },
    async ({ identity: { accountId }, body: { name, url, event_types: eventTypes } }) => {
      const made = await webhookEndpoints.create(accountId, {
        name,
        url: webhookUrlOf(url, addresses, 'url'),
        eventTypes,
      })
      if (made) return renderWithSecret(made)
      const message = 'The account has as many webhook endpoints as it may. Delete one, or give one more event types.'
      throw new ServiceError('invalid_request', message)
    },
  )

  app.get(
    '/v1/webhook_endpoints',
    {
      schema: {
        ...shared,
        summary: 'List webhook endpoints, newest first',
        querystring: EndpointQuery,
        response: { 200: listSchemaOf(Endpoint), ...refusals },
      },
    },
    async ({ identity: { accountId }, query: { limit, after } }) => {
      const fetch = (limit: number) => webhookEndpoints.list(accountId, { limit, after })
      return listOf(limit, fetch, ({ id }) => id, renderEndpoint)
    },
  )
}

function showAndChange(plain: FastifyInstance, deps: EndpointsDeps) {
  const app = plain.withTypeProvider<ZodTypeProvider>()
  const { webhookEndpoints, webhookDeliveries, webhookSending } = deps
  const ofOne = { ...shared, params: EndpointParams }

  app.get(
    '/v1/webhook_endpoints/:id',
    { schema: { ...ofOne, summary: 'Show a webhook endpoint', response: { 200: Endpoint, ...refusals } } },
    async ({ identity: { accountId }, params: { id } }) => {
      const endpoint = await webhookEndpoints.find(accountId, id)
      if (!endpoint) throw noEndpoint(id)
      return renderEndpoint(endpoint)
    },
  )

  app.post(
    '/v1/webhook_endpoints/:id',
    {
      schema: {
        ...ofOne,
        summary: 'Change a webhook endpoint',
        description:
          'What is left out stays. `enabled: true` takes one into use again that was disabled; what waits for one that is disabled has failed, and can be redelivered.',
        body: EndpointChanges,
        response: { 200: Endpoint, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id }, body: { event_types: eventTypes, url: given, ...changes } }) => {
      const url = given === undefined ? undefined : webhookUrlOf(given, webhookSending.addresses, 'url')
      const endpoint = await webhookEndpoints.update(accountId, id, { ...changes, url, eventTypes })
      if (!endpoint) throw noEndpoint(id)
      if (changes.enabled === false) await webhookDeliveries.abandon(id)
      return renderEndpoint(endpoint)
    },
  )

  app.delete(
    '/v1/webhook_endpoints/:id',
    {
      schema: {
        ...ofOne,
        summary: 'Delete a webhook endpoint',
        description: 'Nothing is sent to it any more; what was sent can still be looked at.',
        response: { 200: DeletedEndpoint, ...refusals },
      },
    },
    async ({ identity: { accountId }, params: { id } }) => {
      if (!(await webhookEndpoints.remove(accountId, id))) throw noEndpoint(id)
      await webhookDeliveries.abandon(id)
      return { id, object: 'webhook_endpoint.deleted' as const, deleted: true as const }
    },
  )
}
