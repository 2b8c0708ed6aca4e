import { z } from 'zod'
import { createAccount, type NewAccount } from './admin-client.ts'
import { readIfThere, writePrivate } from './private-file.ts'

const LocalFile = z.object({
  url: z.string(),
  apiKey: z.string(),
  adminKey: z.string(),
  accountId: z.string(),
  databaseUrl: z.string(),
  redisUrl: z.string(),
})
/** What other tools of the checkout read to find the running service; the addresses hold only while it runs. */
export type LocalFile = z.infer<typeof LocalFile>

type Running = Omit<LocalFile, 'apiKey' | 'accountId'>

/** Writes the file about the running service, with the account of the last start, or a new one if that is not known. */
export async function firstAccount(path: string, running: Running): Promise<LocalFile & { isNew: boolean }> {
  const kept = await workingAccount(path, running.url)
  const account = kept ?? (await createAccount(running, { name: 'local', credits: 100 }))
  const local: LocalFile = { ...running, accountId: account.accountId, apiKey: account.apiKey }
  await writePrivate(path, `${JSON.stringify(local, null, 2)}\n`)
  return { ...local, isNew: !kept }
}

async function workingAccount(path: string, url: string): Promise<NewAccount | undefined> {
  const kept = LocalFile.safeParse(parsedJson(await readIfThere(path)))
  if (!kept.success) return undefined
  const headers = { authorization: `Bearer ${kept.data.apiKey}` }
  const response = await fetch(`${url}/v1/credits`, { headers, signal: AbortSignal.timeout(15_000) })
  if (response.ok) return kept.data
  // Another database or another pepper does not know the key. Any other answer is a fault, and no reason to forget it.
  if (response.status === 401 || response.status === 403) return undefined
  throw new Error(`GET /v1/credits answered ${response.status}: ${(await response.text()).slice(0, 1_000)}`)
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
