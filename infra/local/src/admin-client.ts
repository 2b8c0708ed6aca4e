import { z } from 'zod'

const Created = z.object({ id: z.string() })
const CreatedKey = z.object({ id: z.string(), key: z.string() })

export type NewAccount = { accountId: string; apiKey: string }

/** Makes an account with credits and one API key, through the admin API of a running Weir. */
export async function createAccount(
  target: { url: string; adminKey: string },
  account: { name: string; credits: number },
): Promise<NewAccount> {
  const post = (path: string, body: object) => postJson(`${target.url}/admin/v1/${path}`, target.adminKey, body)

  const { id: accountId } = Created.parse(await post('accounts', { name: account.name }))
  const { key: apiKey } = CreatedKey.parse(await post(`accounts/${accountId}/keys`, { name: account.name }))
  if (account.credits > 0) {
    await post(`accounts/${accountId}/grants`, { credits: account.credits, kind: 'promotional' })
  }
  return { accountId, apiKey }
}

async function postJson(url: string, bearer: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  })
  const text = await response.text()
  if (!response.ok)
    throw new Error(`POST ${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 1_000)}`)
  return JSON.parse(text)
}
