import type { AccountSecret, WebhookAttempt, WebhookDelivery, WebhookEndpoint } from '@weir/store'

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1_000)

export const renderEndpoint = (endpoint: WebhookEndpoint) => ({
  id: endpoint.id,
  object: 'webhook_endpoint' as const,
  created_at: secondsOf(endpoint.createdAt),
  updated_at: secondsOf(endpoint.updatedAt),
  name: endpoint.name,
  url: endpoint.url,
  event_types: endpoint.eventTypes,
  signing_secret_hint: endpoint.secretHint,
  enabled: endpoint.disabledFor === null,
  disabled_for: endpoint.disabledFor,
})

export const renderWithSecret = ({ endpoint, secret }: { endpoint: WebhookEndpoint; secret: string }) => ({
  ...renderEndpoint(endpoint),
  signing_secret: secret,
})

export const renderAccountSecret = ({ secret, secretHint, createdAt, updatedAt }: AccountSecret) => ({
  object: 'webhook_secret' as const,
  created_at: secondsOf(createdAt),
  updated_at: secondsOf(updatedAt),
  signing_secret: secret ?? null,
  signing_secret_hint: secretHint,
})

export const renderDelivery = ({ id, event, endpointId, url, state, attempts, nextAt, endedAt }: WebhookDelivery) => ({
  id,
  object: 'webhook_delivery' as const,
  event: { id: event.id, type: event.type, created_at: secondsOf(event.createdAt), data: { id: event.subject } },
  webhook_endpoint_id: endpointId,
  url,
  state,
  attempt_count: attempts,
  next_attempt_at: nextAt && secondsOf(nextAt),
  ended_at: endedAt && secondsOf(endedAt),
})

export const renderAttempt = ({ number, at, status, failure, durationMs }: WebhookAttempt) => ({
  number,
  at: at.toISOString(),
  status_code: status,
  error: failure,
  duration_ms: durationMs,
})
