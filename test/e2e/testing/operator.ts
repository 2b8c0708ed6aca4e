import type { Weir } from '@weir/local/testing'

/** Whatever was answered; a test knows which fields it looks for. */
export type Answer<Body = Record<string, unknown>> = { status: number; body: Body; headers: Headers }

/** Calls of the admin API, or of a customer where a key is given. Paths begin behind `/admin/v1/`, or behind `/v1/`. */
export function callsOf(weir: Weir, apiKey?: string) {
  const base = `${weir.url}/${apiKey === undefined ? 'admin/v1' : 'v1'}/`
  const headers = { authorization: `Bearer ${apiKey ?? weir.adminKey}` }

  async function call<Body>(method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = body === undefined ? null : JSON.stringify(body)
    const response = await fetch(base + path, { method, headers: { ...headers, ...json }, body: sent })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
  }
  return {
    get: <Body = Record<string, unknown>>(path: string) => call<Body>('GET', path),
    post: <Body = Record<string, unknown>>(path: string, body: unknown) => call<Body>('POST', path, body),
    put: <Body = Record<string, unknown>>(path: string, body: unknown) => call<Body>('PUT', path, body),
    patch: <Body = Record<string, unknown>>(path: string, body: unknown) => call<Body>('PATCH', path, body),
    /** An answer that is no JSON. */
    async text(path: string): Promise<{ type: string | null; text: string }> {
      const response = await fetch(base + path, { headers })
      if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`)
      return { type: response.headers.get('content-type'), text: await response.text() }
    },
  }
}

export type Calls = ReturnType<typeof callsOf>
export type List<Item> = { object: 'list'; data: Item[]; has_more: boolean; last_id: string | null }
export type Entry = {
  sequence: number
  kind: string
  credits: number
  grant_id: string | null
  completion_id: string | null
  action_id: string | null
  balance_after: number | null
  reason: string | null
  created_at: string
}
export type Grant = { id: string; kind: string; priority: number; credits: number; balance: number; reference: string }

/** The id of an account's only key. */
export async function keyIdOf(admin: Calls, accountId: string): Promise<string> {
  const { body } = await admin.get<List<{ id: string }>>(`accounts/${accountId}/keys`)
  return body.data[0]!.id
}

/** A sum of credits without the dust of floating point. */
export const sumOf = (amounts: readonly number[]): number =>
  amounts.reduce((total, credits) => total + Math.round(credits * 1e6), 0) / 1e6
