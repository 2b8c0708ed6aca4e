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
const MOST_AT_ONCE = 60
const MOST_OF_ACCOUNT = 3

export function createTrials({ webhookEndpoints, webhookSending, lastCall }: TrialDeps) {
  const running = new Map<EndpointId, AccountId>()

  return {
    /** What an endpoint answers to a sample event. One at a time for each endpoint. */
    async statusOf(accountId: AccountId, id: EndpointId, type: EventType): Promise<number> {
      const endpoint = await webhookEndpoints.find(accountId, id)
      if (!endpoint) throw noEndpoint(id)
      const ofAccount = running.values().filter((each) => each === accountId)
      if (running.has(id)) throw tooMany('A sample event is on its way to this webhook endpoint. Wait for its end.')
      if (running.size >= MOST_AT_ONCE || [...ofAccount].length >= MOST_OF_ACCOUNT)
        throw tooMany('Too many sample events are on their way. Try again in a moment.')
      running.set(id, accountId)
      try {
        const subject = type.startsWith('batch.') ? newBatchId() : newCompletionId()
        const event = { id: newEventId(), type, subject, createdAt: new Date(), isTest: true }
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

const tooMany = (message: string) => new ServiceError('rate_limit_exceeded', message, { retryAfterMs: 5_000 })
