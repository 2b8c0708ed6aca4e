import type { Weir } from '@weir/local/testing'
import OpenAI from 'openai'

export type Credits = { balance: number; reserved: number; available: number }
export type Entry = {
  sequence: number
  kind: string
  credits: number
  completion_id: string | null
  balance_after: number | null
}

export type Customer = {
  accountId: string
  apiKey: string
  client: OpenAI
  /** The account as the operator sees it. */
  credits(): Promise<Credits>
  entries(): Promise<Entry[]>
  /** What each charge took, newest first, all of them or those of one completion. */
  charges(completionId?: string): Promise<number[]>
}

type Options = { credits?: number; baseUrl?: string; clientOptions?: ConstructorParameters<typeof OpenAI>[0] }

/** A new account with credits and a client that repeats nothing by itself. `baseUrl` is the replica it speaks to. */
export async function customerOf(weir: Weir, { credits, baseUrl, clientOptions }: Options = {}): Promise<Customer> {
  const { accountId, apiKey } = await weir.createAccount(credits === undefined ? {} : { credits })
  const entries = () => allEntries(weir, accountId)
  return {
    accountId,
    apiKey,
    client: clientOf(apiKey, baseUrl ?? weir.url, clientOptions),
    credits: async () => (await adminGet<{ credits: Credits }>(weir, `accounts/${accountId}`)).credits,
    entries,
    async charges(completionId) {
      const isWanted = ({ kind, completion_id }: Entry) =>
        kind === 'charge' && (completionId === undefined || completion_id === completionId)
      return (await entries()).filter(isWanted).map(({ credits }) => -credits)
    },
  }
}

export const clientOf = (apiKey: string, url: string, options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 30_000, ...options })

async function allEntries(weir: Weir, accountId: string): Promise<Entry[]> {
  const all: Entry[] = []
  for (let after = ''; ;) {
    const path = `accounts/${accountId}/entries?limit=1000${after}`
    const page = await adminGet<{ data: Entry[]; has_more: boolean; last_id: string }>(weir, path)
    all.push(...page.data)
    if (!page.has_more) return all
    after = `&after=${page.last_id}`
  }
}

/** Asks the replica that was started last: a test may have killed the others. */
async function adminGet<T>(weir: Weir, path: string): Promise<T> {
  const response = await fetch(`${weir.urls.at(-1)}/admin/v1/${path}`, {
    headers: { authorization: `Bearer ${weir.adminKey}` },
  })
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

/** A request for one answer to one sentence. */
export const asking = (model: string, content = 'Tell me about the river.') => ({
  model,
  messages: [{ role: 'user' as const, content }],
})

/** Everything a stream says, put together. */
export async function textOf(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  return text
}

/** The text of a plain answer. */
export const plainTextOf = ({ choices }: OpenAI.ChatCompletion): string | null | undefined =>
  choices[0]?.message.content

/** Revokes all keys of an account, at one replica. */
export async function revokeKeysOf(weir: Weir, accountId: string, url = weir.url): Promise<void> {
  const headers = { authorization: `Bearer ${weir.adminKey}` }
  const keys = `${url}/admin/v1/accounts/${accountId}/keys`
  const { data } = (await (await fetch(keys, { headers })).json()) as { data: { id: string }[] }
  for (const { id } of data) await fetch(`${keys}/${id}`, { method: 'DELETE', headers })
}

/** What comes of listing the models: the cheapest call that a key opens. */
export const statusOf = (client: OpenAI): Promise<number> =>
  client.models.list().then(
    () => 200,
    (error: { status: number }) => error.status,
  )

/** Reads a stream beside the test. */
export function reading(
  asked: Promise<AsyncIterable<{ choices: { delta: { content?: string | null }; finish_reason: unknown }[] }>>,
) {
  let text = ''
  let finished = false
  const end = (async () => {
    for await (const { choices } of await asked) {
      text += choices[0]?.delta.content ?? ''
      finished ||= Boolean(choices[0]?.finish_reason)
    }
  })()
  end.catch(() => {})
  return { text: () => text, finished: () => finished, end }
}
