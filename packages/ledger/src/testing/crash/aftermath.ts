import { type AccountId, newAccountId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { expect } from 'vitest'
import { createLedgerCheck } from '../../check/check.ts'
import { createLedger } from '../../ledger.ts'
import { askAgain } from './again.ts'
import type { Asked, Journal } from './journal.ts'
import { createClientLanes } from './client-lanes.ts'
import { contradictionsIn } from './verdicts.ts'
import { faultsOf } from '../faults.ts'

/** Rich accounts and poor ones, so that all there is to say is said. */
export async function openAccounts(db: Database): Promise<AccountId[]> {
  const amounts = [1_000_000_000n, 20_000n, 2_000n, 500n, 50n]
  const accounts = amounts.map(newAccountId)
  const grants = accounts.map((accountId, i) => {
    return { op: 'grant', kind: 'purchased', amount: amounts[i]!, accountId, actor: 'test' } as const
  })
  await createLedger(db).amend(grants)
  return accounts
}

/**
 * What was told stands, and what nobody heard of is there once or not at all. Then everything is asked for again: who knew
 * hears the same, who never knew learns it, and nothing happens twice. No batch met a deadlock, and the books are whole.
 */
export async function expectBooksToStandBy(
  db: Database,
  accounts: readonly AccountId[],
  journal: Journal,
): Promise<void> {
  expect(await contradictionsIn(db, journal.asked)).toEqual([])

  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  await using lanes = createClientLanes({ operations: db, amendments: db, maxBatch: 500, onFailure })
  const again = await askAgain(lanes, journal.asked)

  expect(failures).toEqual([])
  expect(again.filter(isUntold)).toEqual([])
  expect(await contradictionsIn(db, again)).toEqual([])
  expect(await faultsOf(db, accounts)).toEqual([])
  expect((await createLedgerCheck(db).check()).findings).toEqual([])
  expect(journal.failures.filter(isDeadlock)).toEqual([])
}

export const isUntold = ({ told }: Asked): boolean => told === undefined
const isDeadlock = (failure: string): boolean => failure.startsWith('40P01')
