import { EventType } from '@weir/webhooks'
import { z } from 'zod'

const subjectOf = (type: EventType): string =>
  type.startsWith('batch.')
    ? 'The batch, as `batch_…`; one of messages is `msgbatch_…` with the same end'
    : 'The completion, as `chatcmpl_…`; a message is `msg_…` with the same end'

/** What is sent; `packages/webhooks` writes it. */
const eventOf = (type: EventType) =>
  z.object({
    id: z.string().describe('`evt_…`, and the `webhook-id`: the same with every try'),
    object: z.literal('event'),
    created_at: z.int().describe('When it happened, in Unix seconds'),
    type: z.literal(type),
    data: z.object({ id: z.string().describe(subjectOf(type)) }),
    test: z.literal(true).optional().describe('Only of a sample event: then there is no such subject'),
  })

const header = (name: string, description: string) => ({
  name,
  in: 'header' as const,
  required: true,
  description,
  schema: { type: 'string' as const },
})

const signed = [
  header('webhook-id', 'The id of the event'),
  header('webhook-timestamp', 'When this try was made, in Unix seconds'),
  header('webhook-signature', 'As Standard Webhooks says; of two secrets where one was rotated'),
]

const operationOf = (type: EventType) => ({
  post: {
    tags: ['webhooks'],
    summary: `What an endpoint is sent: ${type}`,
    parameters: signed,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: z.toJSONSchema(eventOf(type)) as object } },
    },
    responses: {
      '2XX': { description: 'It is delivered' },
      '410': { description: 'The endpoint is gone: it is disabled' },
      default: { description: 'It is sent again later' },
    },
  },
})

/** The section `webhooks` of the API reference: each event as it arrives. */
export const eventOperations = Object.fromEntries(EventType.options.map((type) => [type, operationOf(type)]))
