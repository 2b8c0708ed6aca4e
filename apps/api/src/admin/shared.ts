import { AccountId, KeyId, ServiceError } from '@weir/contracts'
import type { Account, AccountStore } from '@weir/store'
import { z } from 'zod'

export const AccountParams = z.object({ id: AccountId })
export const KeyParams = z.object({ id: AccountId, keyId: KeyId })
/** Text that Postgres holds as it was sent: no NUL, no half of a surrogate pair. */
export const text = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => value.isWellFormed() && !value.includes('\0'), { error: 'must be well-formed text without NUL' })

export const Named = z.strictObject({ name: z.string().trim().pipe(text) })

export const limit = z.coerce.number().int().min(1).max(1_000).default(100)

export const adminSchema = { tags: ['admin'], security: [{ adminKey: [] }] }

export async function existing(accounts: Pick<AccountStore, 'find'>, id: AccountId): Promise<Account> {
  const account = await accounts.find(id)
  if (!account) throw new ServiceError('not_found', `There is no account ${id}.`, { param: 'id' })
  return account
}

/** One item more than the page is asked for, to know whether there are more. */
export async function pageOf<Item>(
  limit: number,
  fetch: (limit: number) => Promise<Item[]>,
  lastIdOf: (item: Item) => string,
) {
  const items = await fetch(limit + 1)
  const data = items.slice(0, limit)
  const last = data.at(-1)
  return { data, has_more: items.length > limit, last_id: last === undefined ? null : lastIdOf(last) }
}
