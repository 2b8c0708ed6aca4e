import type { Weir } from '@weir/local/testing'

/** Of an endpoint, a delivery, and what else is shown of webhooks, what tests look at. */
export type Endpoint = { id: string; signing_secret: string; enabled: boolean; disabled_for: string | null }
export type Delivery = {
  id: string
  event: { id: string; type: string; data: { id: string } }
  webhook_endpoint_id: string | null
  state: string
  attempt_count: number
  next_attempt_at: number | null
  attempts: { number: number; status_code: number | null; error: string | null }[]
}

/** The paths that the official client has no words for, and the others as raw answers. */
export function webhookCallsOf(weir: Weir, apiKey: string) {
  const authorization = `Bearer ${apiKey}`
  const call = (method: string, path: string, body?: object) =>
    fetch(`${weir.url}/v1/${path}`, {
      method,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      body: body ? JSON.stringify(body) : null,
    })
  const jsonOf = async <T>(asked: Promise<Response>): Promise<T> => {
    const response = await asked
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    return (await response.json()) as T
  }
  const deliveries = async (query = '') =>
    (await jsonOf<{ data: Delivery[] }>(call('GET', `webhook_deliveries${query}`))).data
  return {
    call,
    deliveries,
    newest: async (query?: string) => (await deliveries(query))[0]!,
    endpoint: (url: string, eventTypes = ['chat.completion.completed']) =>
      jsonOf<Endpoint>(call('POST', 'webhook_endpoints', { name: 'mine', url, event_types: eventTypes })),
    shown: (id: string) => jsonOf<Endpoint>(call('GET', `webhook_endpoints/${id}`)),
    delivery: (id: string) => jsonOf<Delivery>(call('GET', `webhook_deliveries/${id}`)),
    secret: async () => (await jsonOf<{ signing_secret: string }>(call('GET', 'webhook_secret'))).signing_secret,
    post: <T>(path: string, body: object = {}) => jsonOf<T>(call('POST', path, body)),
  }
}
