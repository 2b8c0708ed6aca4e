import { type AccountId, type EndpointId, ServiceError, newBatchId, newCompletionId, newEventId } from '@weir/contracts'
import type { WebhookEndpoints } from '@weir/store'
import { type EventType, type SendOptions, send } from '@weir/webhooks'
import { noEndpoint } from './shared.ts'

export type TrialDeps = {
  webhookEndpoints: Pick<WebhookEndpoints, 'find' | 'secretsOf'>
  webhookSending: SendOptions
  /** Aborts when whoever still waits must be answered. */
  lastCall: AbortSignal
}

/** Sample events under way in one process: each may take as long as its receiver likes. */
const MOST_AT_ONCE = 20

export function createTrials({ webhookEndpoints, webhookSending, lastCall }: TrialDeps) {
  const running = new Set<EndpointId>()

  return {
    /** What an endpoint answers to a sample event. One at a time for each endpoint. */
    async statusOf(accountId: AccountId, id: EndpointId, type: EventType): Promise<number> {
      const endpoint = await webhookEndpoints.find(accountId, id)
      if (!endpoint) throw noEndpoint(id)
      if (running.has(id) || running.size >= MOST_AT_ONCE) {
        const message = running.has(id)
          ? 'A sample event is on its way to this webhook endpoint. Wait for its end.'
          : 'Too many sample events are on their way. Try again in a moment.'
        throw new ServiceError('rate_limit_exceeded', message)
      }
      running.add(id)
      try {
        const subject = type.startsWith('batch.') ? newBatchId() : newCompletionId()
        const event = { id: newEventId(), type, subject, createdAt: new Date() }
        const secrets = await webhookEndpoints.secretsOf(accountId, id)
        const answer = await send({ event, url: endpoint.url, secrets }, webhookSending, lastCall)
        if (answer.kind === 'answered') return answer.status
        throw new ServiceError('invalid_request', `The webhook endpoint ${answer.sentence}.`, { param: 'url' })
      } finally {
        running.delete(id)
      }
    },
  }
}
