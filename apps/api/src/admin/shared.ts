import { AccountId, GrantId, KeyId, ServiceError } from '@weir/contracts'
import type { Account, AccountStore } from '@weir/store'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { text } from '../inputs.ts'

export const AccountParams = z.object({ id: AccountId })
export const KeyParams = z.object({ id: AccountId, keyId: KeyId })
export const GrantParams = z.object({ id: AccountId, grantId: GrantId })

export const Named = z.strictObject({ name: z.string().trim().pipe(text) })

export const adminSchema = { tags: ['admin'], security: [{ adminKey: [] }] }

/** What every answer but the good ones looks like. */
export const refusals = { '4xx': ErrorBody }

export async function existing(accounts: Pick<AccountStore, 'find'>, id: AccountId): Promise<Account> {
  const account = await accounts.find(id)
  if (!account) throw new ServiceError('not_found', `There is no account ${id}.`, { param: 'id' })
  return account
}
