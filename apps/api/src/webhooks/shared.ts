import { type DeliveryId, type EndpointId, ServiceError } from '@weir/contracts'
import { ErrorBody } from '../answer-schemas.ts'

/** What all routes of webhooks have in common. */
export const shared = { tags: ['webhooks'], security: [{ apiKey: [] }] }
export const refusals = { '4xx': ErrorBody, '5xx': ErrorBody }

export const noEndpoint = (id: EndpointId) =>
  new ServiceError('not_found', `There is no webhook endpoint ${id}.`, { param: 'id' })

export const noDelivery = (id: DeliveryId) =>
  new ServiceError('not_found', `There is no webhook delivery ${id}.`, { param: 'id' })

export const disabledEndpoint = () =>
  new ServiceError('invalid_request', "The webhook endpoint is disabled. Update it with 'enabled': true first.")
