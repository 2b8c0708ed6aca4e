import { AccountId, ServiceError } from '@weir/contracts'
import type { CheckBooks } from '@weir/completions'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { patienceOf } from '../http/patience.ts'
import { LedgerCheck } from '../ledger-schemas.ts'
import { adminSchema, existing, refusals } from './shared.ts'

export type LedgerCheckDeps = {
  accounts: AccountStore
  checkBooks: CheckBooks
  /** Resolves when Postgres answers. */
  checks: { postgres: () => Promise<unknown> }
}

/** It reads all there is, and operators wait five minutes for it. */
export const CHECK_TIMEOUT_MS = 280_000

/** GET /ledger/check: proves from the rows that the books are whole. */
export function ledgerCheck(deps: LedgerCheckDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/ledger/check',
      {
        schema: {
          ...adminSchema,
          summary: 'Prove that the books are whole, of one account or of all',
          querystring: z.strictObject({ account_id: AccountId.optional() }),
          response: { 200: LedgerCheck, ...refusals },
        },
      },
      async ({ query: { account_id: id } }, reply) => {
        // A Postgres that is away is told at once, not after the time that a check may take.
        await deps.checks.postgres()
        if (id !== undefined) await existing(deps.accounts, id, 'account_id')
        using patience = patienceOf(reply, Date.now() + CHECK_TIMEOUT_MS)
        const asked = { accountIds: id && [id], signal: patience.signal }
        const report = await deps.checkBooks(asked).catch((error: unknown) => {
          if (patience.over() === 'gone') throw new ServiceError('cancelled', 'The client has closed the connection.')
          if (patience.over() === 'late') throw new ServiceError('deadline_exceeded', 'The check took too long.')
          throw error
        })
        return {
          object: 'ledger_check' as const,
          ok: report.findings.length === 0 && report.unlisted === 0,
          checked_at: report.checkedAt.toISOString(),
          accounts: report.accounts,
          entries: report.entries,
          reservations: report.reservations,
          findings: report.findings.map(({ invariant, accountId, subject, message }) => ({
            invariant,
            account_id: accountId ?? null,
            subject,
            message,
          })),
          more_findings: report.unlisted,
        }
      },
    )
  }
}
