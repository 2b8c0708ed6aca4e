import type { Ledger } from '@weir/ledger'
import type { AccountStore, ApiKeyStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import { createAuthenticateAdmin } from '../authenticate.ts'
import { accounts } from './accounts.ts'
import { credits } from './credits.ts'
import { keys } from './keys.ts'

export type AdminDeps = {
  adminKey: string
  accounts: AccountStore
  apiKeys: ApiKeyStore
  ledger: Ledger
  /** Tells every replica that a key is revoked. */
  announceRevocation: (keyId: Parameters<ApiKeyStore['revoke']>[1]) => Promise<void>
}

/** /admin/v1: what operators do. */
export function admin(deps: AdminDeps) {
  return async (app: FastifyInstance) => {
    app.addHook('onRequest', createAuthenticateAdmin(deps.adminKey))
    await app.register(accounts(deps))
    await app.register(keys(deps))
    await app.register(credits(deps))
  }
}
