import Anthropic from '@anthropic-ai/sdk'

/** A client of Anthropic's that repeats nothing by itself. */
export const messagesClientOf = (apiKey: string, url: string): Anthropic =>
  new Anthropic({ apiKey, baseURL: url, maxRetries: 0, timeout: 30_000 })

/** A request for one short message. */
export const askingMessage = (model: string, content = 'Tell me about the river.') => ({
  model,
  max_tokens: 100,
  messages: [{ role: 'user' as const, content }],
})

/** What only Weir tells of a message. */
export type Told = {
  status: string
  error?: { type: string; message: string }
  usage: { credits_consumed: number }
  content: { type: string; text: string }[]
  id: string
}

/** The service, asked as Anthropic's older clients do. */
export function rawMessagesOf(url: string, apiKey: string) {
  const headers = { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }
  const isJson = { 'content-type': 'application/json' }
  return {
    get: (path: string, more: Record<string, string> = {}) =>
      fetch(`${url}${path}`, { headers: { ...headers, ...more } }),
    post: (path: string, body?: object | string, more: Record<string, string> = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, ...(body !== undefined && isJson), ...more },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

export type NamedEvent = { id: number; event: string; data: Record<string, unknown> }

/** The events of a stream, each with its number and its name. Comments are left out. */
export async function namedEventsOf(response: Response): Promise<NamedEvent[]> {
  if (!response.ok) throw new Error(`The stream was refused with ${response.status}: ${await response.text()}`)
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '' && !block.startsWith(':'))
  return blocks.map((block) => {
    const [, id, event, data] = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? []
    if (!data) throw new Error(`Not an event with a name: ${block}`)
    return { id: Number(id), event: event!, data: JSON.parse(data) as Record<string, unknown> }
  })
}
