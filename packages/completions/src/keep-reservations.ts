import type { AccountId, CompletionId } from '@weir/contracts'
import { type AppliedRow, type Extend, applyCall } from '@weir/ledger'
import { type Database, repeat } from '@weir/runtime'
import { sql } from 'kysely'
import type { Attempts } from './attempts.ts'

type Alive = { id: CompletionId; accountId: AccountId }

const BATCH = 500

/** Gives the reservations of completions that are known to be alive another lease. One that has ended stays ended. */
export async function extendReservations(db: Database, alive: readonly Alive[], leaseMs: number): Promise<void> {
  // The order in which the ledger locks accounts.
  const operations = alive
    .map(({ id, accountId }): Extend => ({ kind: 'extend', accountId, completionId: id }))
    .sort((a, b) => (a.accountId < b.accountId ? -1 : a.accountId > b.accountId ? 1 : 0))
  for (let from = 0; from < operations.length; from += BATCH) {
    const batch = operations.slice(from, from + BATCH)
    await sql<AppliedRow>`select verdict from ${applyCall(batch, leaseMs)} as applied`.execute(db)
  }
}

/** The heartbeat of a worker for the credits of what it runs: a reservation outlives its lease only if its worker is gone. */
export function keepReservations(
  db: Database,
  attempts: Pick<Attempts, 'running'>,
  options: { leaseMs: number; onError: (error: unknown) => void },
): AsyncDisposable {
  const extend = () => extendReservations(db, attempts.running(), options.leaseMs)
  return repeat(options.leaseMs / 3, extend, options.onError, 'later')
}
