import type { ApiKeyStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import { createAuthenticateAdmin } from '../authenticate.ts'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { type BackendsDeps, backends } from './backends.ts'
import { type AllBatchesDeps, allBatches } from './batches.ts'
import { type BooksDeps, books } from './books.ts'
import { accounts } from './accounts.ts'
import { type CorrectionsDeps, corrections } from './corrections.ts'
import { type GrantsDeps, grants } from './grants.ts'
import { type KeyLimitsDeps, keyLimits } from './key-limits.ts'
import { type KeysDeps, keys } from './keys.ts'
import { type LedgerCheckDeps, ledgerCheck } from './ledger-check.ts'
import { type PricesDeps, prices } from './prices.ts'
import { type RateLimitsDeps, rateLimits } from './rate-limits.ts'
import { type StandingDeps, standing } from './standing.ts'
import { type StatementDeps, statement } from './statement.ts'
import { type WebhooksOfAccountDeps, webhooksOfAccount } from './webhooks.ts'

export type AdminDeps = { adminKey: string; apiKeys: ApiKeyStore } & KeysDeps &
  StandingDeps &
  GrantsDeps &
  CorrectionsDeps &
  BooksDeps &
  StatementDeps &
  KeyLimitsDeps &
  RateLimitsDeps &
  PricesDeps &
  BackendsDeps &
  AllBatchesDeps &
  WebhooksOfAccountDeps &
  LedgerCheckDeps

/** /admin/v1: what operators do. */
export function admin(deps: AdminDeps) {
  return async (app: FastifyInstance) => {
    app.addHook('onRequest', createAuthenticateAdmin(deps.adminKey))
    app.addHook('preValidation', refuseUnknownQuery)
    await app.register(accounts(deps))
    await app.register(standing(deps))
    await app.register(keys(deps))
    await app.register(keyLimits(deps))
    await app.register(rateLimits(deps))
    await app.register(grants(deps))
    await app.register(corrections(deps))
    await app.register(books(deps))
    await app.register(statement(deps))
    await app.register(prices(deps))
    await app.register(backends(deps))
    await app.register(allBatches(deps))
    await app.register(webhooksOfAccount(deps))
    await app.register(ledgerCheck(deps))
  }
}
