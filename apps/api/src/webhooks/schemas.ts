import { DeliveryId, EndpointId } from '@weir/contracts'
import { EventType } from '@weir/webhooks'
import { z } from 'zod'
import { text, time, wholeNumber } from '../inputs.ts'

export const EndpointParams = z.object({ id: EndpointId })
export const DeliveryParams = z.object({ id: DeliveryId })

const url = z
  .string()
  .min(1)
  .max(2_048)
  .describe('Begins with https://, unless private networks are open (`WEIR_WEBHOOK_PRIVATE_ADDRESSES`)')
const eventTypes = z
  .array(EventType)
  .min(1)
  .max(EventType.options.length)
  .refine((types) => new Set(types).size === types.length, { error: 'must not name a type twice' })

export const NewEndpoint = z.strictObject({ name: text, url, event_types: eventTypes })
export const EndpointChanges = z.strictObject({
  name: text.optional(),
  url: url.optional(),
  event_types: eventTypes.optional(),
  enabled: z
    .boolean()
    .optional()
    .describe('Nothing is sent to an endpoint that is not; what happens meanwhile is not told later'),
})
export const Rotation = z.strictObject({
  keep_old_secret_active_for_24_hours: z
    .boolean()
    .default(false)
    .describe('What is sent is signed with both for so long'),
})
export const Trial = z.strictObject({ event_type: EventType })

export const MOST_AT_ONCE = 1_000
const LAST_SECOND = Date.UTC(9999, 11, 31) / 1_000
/** As it is written, or as events and deliveries tell it. */
const moment = z.union(
  [
    z
      .int()
      .min(0)
      .max(LAST_SECOND)
      .transform((seconds) => new Date(seconds * 1_000)),
    time,
  ],
  {
    error: 'must be a time in ISO 8601, such as 2026-01-31T12:00:00Z, or in Unix seconds',
  },
)
export const Redelivery = z.strictObject({
  since: moment.describe('From this time of the events on: ISO 8601, or Unix seconds'),
  until: moment.optional().describe('Up to this time; by default now'),
  state: z
    .enum(['failed', 'delivered', 'pending'])
    .default('failed')
    .describe('`pending`: what waits for its next try, which is then made now'),
  after: DeliveryId.optional().describe('The last_id of the call before'),
})

export const DeliveryQuery = z.strictObject({
  limit: wholeNumber(100).default(20),
  after: DeliveryId.optional().describe('The last_id of the page before'),
  endpoint_id: EndpointId.optional(),
  event_type: EventType.optional(),
  state: z.enum(['pending', 'delivered', 'failed']).optional(),
})
export const EndpointQuery = z.strictObject({
  limit: wholeNumber(100).default(20),
  after: EndpointId.optional().describe('The last_id of the page before'),
})

const seconds = z.int().describe('Unix time in seconds')

export const Endpoint = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint'),
  created_at: seconds,
  updated_at: seconds,
  name: z.string(),
  url: z.string(),
  event_types: z.array(z.string()),
  signing_secret_hint: z.string().describe('The last characters of its secret'),
  enabled: z.boolean(),
  disabled_for: z
    .enum(['owner', 'gone', 'failing'])
    .nullable()
    .describe('`owner`: you wanted it; `gone`: it has answered 410; `failing`: for days nothing could be delivered'),
})
export const EndpointWithSecret = Endpoint.extend({
  signing_secret: z.string().describe('Shown now and never again'),
})
export const DeletedEndpoint = z.object({
  id: z.string(),
  object: z.literal('webhook_endpoint.deleted'),
  deleted: z.literal(true),
})
export const TrialResult = z.object({
  object: z.literal('webhook_endpoint.test'),
  webhook_endpoint_id: z.string(),
  event_type: z.string(),
  status_code: z.int().describe('What the endpoint answered: only 2xx is a delivery'),
  success: z.literal(true).describe('It has answered, be it with a failure: look at `status_code`'),
})
export const Redelivered = z.object({
  object: z.literal('webhook_endpoint.redelivery'),
  webhook_endpoint_id: z.string(),
  count: z.int().describe('How many deliveries were begun again'),
  has_more: z.boolean(),
  last_id: z.string().nullable(),
})

export const AccountSecret = z.object({
  object: z.literal('webhook_secret'),
  created_at: seconds,
  updated_at: seconds,
  signing_secret: z.string().nullable().describe('null where it cannot be read any more: rotate it'),
  signing_secret_hint: z.string(),
})

export const Delivery = z.object({
  id: z.string(),
  object: z.literal('webhook_delivery'),
  event: z.object({
    id: z.string().describe('Sent as `webhook-id`, with every try'),
    type: z.string(),
    created_at: seconds,
    data: z.object({ id: z.string() }),
  }),
  webhook_endpoint_id: z.string().nullable().describe('null where it goes to the `webhook_url` of a request'),
  url: z.string().nullable().describe('null where its endpoint was deleted'),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempt_count: z.int(),
  next_attempt_at: seconds.nullable(),
  ended_at: seconds.nullable(),
})
export const DeliveryWithAttempts = Delivery.extend({
  attempts: z.array(
    z.object({
      number: z.int(),
      at: z.string(),
      status_code: z.int().nullable().describe('What was answered'),
      error: z
        .string()
        .nullable()
        .describe(
          'Why nothing was: `timeout`, `unreachable`, `broken`, `address`, `scheme`, `port`, `userinfo`, `malformed`, `unsigned`',
        ),
      duration_ms: z.int(),
    }),
  ),
})
export const EventTypeList = z.object({ object: z.literal('list'), data: z.array(z.string()) })
