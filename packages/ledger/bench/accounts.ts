import { type AccountId, newAccountId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { createLedger } from '../src/ledger.ts'

/** No run spends so much. */
const PLENTY = 1_000_000_000_000_000n

/** Gives each account two grants, of which the promotional one is drawn first. */
export async function openAccounts(db: Database, count: number): Promise<AccountId[]> {
  const { amend } = createLedger(db)
  const accounts = Array.from({ length: count }, newAccountId)
  const grants = accounts.flatMap((accountId) =>
    (['promotional', 'purchased'] as const).map((kind) => {
      return { op: 'grant' as const, accountId, kind, amount: PLENTY, actor: 'bench' }
    }),
  )
  for (let at = 0; at < grants.length; at += 500) {
    const verdicts = await amend(grants.slice(at, at + 500))
    if (verdicts.some(({ kind }) => kind !== 'done')) throw new Error('A grant was refused.')
  }
  return accounts
}
