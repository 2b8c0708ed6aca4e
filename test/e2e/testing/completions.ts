import type { Weir } from '@weir/local/testing'
import type OpenAI from 'openai'
import { expect } from 'vitest'
import { asking } from './customer.ts'
import { patiently } from './patiently.ts'

export type Attempt = {
  attempt: number
  worker: string
  target: string | null
  started_at: string
  ended_at: string | null
  outcome: string
  error: string | null
}

/** A completion as it is shown at any time of its life: more than the official types know. */
export type Shown = OpenAI.ChatCompletion & {
  status: 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | 'expired'
  background: boolean
  metadata: Record<string, string>
  queue_position?: number
  expires_at: string
  error?: { code: string }
  attempts: Attempt[]
}

/** Asks in the background: the answer is the completion as it stands, not yet what it says. */
export const askedInBackground = async (client: OpenAI, model: string, more: object = {}): Promise<Shown> =>
  (await client.chat.completions.create({ ...asking(model), background: true, ...more } as never)) as unknown as Shown

/** The completion as it stands. */
export const shown = async (client: OpenAI, id: string): Promise<Shown> =>
  (await client.chat.completions.retrieve(id)) as Shown

/** Asks for it until it stands so. */
export async function untilStatus(client: OpenAI, id: string, status: Shown['status']): Promise<Shown> {
  await expect.poll(async () => (await shown(client, id)).status, patiently).toBe(status)
  return shown(client, id)
}

export const cancelled = async (client: OpenAI, id: string): Promise<Shown> =>
  client.post<Shown>(`/chat/completions/${id}/cancel`)

/** What a customer may ask of a replica where the official client has no words for it. */
export function rawCallsOf(weir: Weir, apiKey: string, url = weir.url) {
  const authorization = `Bearer ${apiKey}`
  const base = `${url}/v1/chat/completions`
  return {
    create: (body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
      fetch(base, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: signal ?? null,
      }),
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(`${base}${path}`, { headers: { authorization, ...headers } }),
  }
}

/** The error in an answer of ours. */
export const errorOf = async (response: Response): Promise<{ status: number } & Record<string, unknown>> => ({
  status: response.status,
  ...((await response.json()) as { error: Record<string, unknown> }).error,
})
