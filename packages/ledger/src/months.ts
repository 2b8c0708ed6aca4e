import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type KeepMonthsOptions = {
  /** So many months after the present one get their partitions now. 2 when nothing else is said. */
  monthsAhead?: number | undefined
  /** So many whole months before the present one stay in the books. All of them when nothing is said. */
  monthsKept?: number | undefined
}

/** Months are written as 2026-11, in UTC. */
export type KeptMonths = {
  made: string[]
  detached: string[]
  /** What could not be done now: the next run tries again. */
  left: { month: string; reason: string }[]
}

/**
 * Makes the partitions of the months to come, and takes those of long ago out of the books into the schema
 * `ledger_archive`, where they may be dumped and dropped. A month with an open reservation stays. Any number of processes
 * may do this at once. Whoever uses the books meanwhile waits for a part of a second at most. A month is read through
 * before it is taken out, so `db` must allow a statement to take that long.
 */
export async function keepMonths(db: Database, options: KeepMonthsOptions = {}): Promise<KeptMonths> {
  const { monthsAhead = 2, monthsKept } = options
  if (monthsKept !== undefined && monthsKept < 1) throw new RangeError('the month before the present one must be kept')
  const done: KeptMonths = { made: [], detached: [], left: [] }

  for (const month of await comingMonths(db, monthsAhead)) {
    const made = await tried(done, month, () => makeMonth(db, month))
    if (made) done.made.push(month)
  }
  for (const month of monthsKept === undefined ? [] : await monthsBefore(db, monthsKept)) {
    const detached = await tried(done, month, () => detachMonth(db, month))
    if (detached) done.detached.push(month)
  }
  return done
}

async function tried(done: KeptMonths, month: string, keep: () => Promise<boolean>): Promise<boolean> {
  try {
    return await keep()
  } catch (error) {
    if (!mayTryAgain(error)) throw error
    done.left.push({ month, reason: error.message })
    return false
  }
}

/** Something is open in it (object_in_use), or somebody uses it for longer than others may wait (lock_not_available). */
const mayTryAgain = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && (error.code === '55006' || error.code === '55P03')

/** The present month and so many more. */
async function comingMonths(db: Database, ahead: number): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    select to_char(date_trunc('month', ledger.clock() at time zone 'UTC') + n * interval '1 month', 'YYYY-MM') as month
    from generate_series(0, ${ahead}::int) as n order by n`.execute(db)
  return rows.map(({ month }) => month)
}

/** Those in the books that are older than the ones to keep, oldest first. */
async function monthsBefore(db: Database, kept: number): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    select to_char(month, 'YYYY-MM') as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid,
      to_date(substring(c.relname from '\\d{4}_\\d{2}$'), 'YYYY_MM') as month
    where i.inhparent = 'ledger.reservation'::regclass
      and month < date_trunc('month', ledger.clock() at time zone 'UTC') - ${kept}::int * interval '1 month'
    order by month`.execute(db)
  return rows.map(({ month }) => month)
}

async function makeMonth(db: Database, month: string): Promise<boolean> {
  const { rows } = await sql<{ made: number }>`select ledger.make_month(${`${month}-01`}::date) as made`.execute(db)
  return rows[0]!.made > 0
}

async function detachMonth(db: Database, month: string): Promise<boolean> {
  const { rows } = await sql<{ detached: boolean }>`
    select ledger.detach_month(${`${month}-01`}::date) as detached`.execute(db)
  return rows[0]!.detached
}
