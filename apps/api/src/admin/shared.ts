import { AccountId, GrantId, KeyId, ServiceError } from '@weir/contracts'
import type { Account, AccountStore } from '@weir/store'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { text } from '../inputs.ts'

export const AccountParams = z.object({ id: AccountId })
// As the wire names them: a refusal tells which of them is wrong.
export const KeyParams = z.object({ id: AccountId, key_id: KeyId })
export const GrantParams = z.object({ id: AccountId, grant_id: GrantId })

export const Named = z.strictObject({ name: z.string().trim().pipe(text) })

export const adminSchema = { tags: ['admin'], security: [{ adminKey: [] }] }

/** What every answer but the good ones looks like. */
export const refusals = { '4xx': ErrorBody }

export async function existing(
  accounts: Pick<AccountStore, 'find'>,
  id: AccountId,
  param: 'id' | 'account_id' = 'id',
): Promise<Account> {
  const account = await accounts.find(id)
  if (!account) throw new ServiceError('not_found', `There is no account ${id}.`, { param })
  return account
}
