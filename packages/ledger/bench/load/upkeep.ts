import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { createLedgerCheck } from '../../src/check/check.ts'
import { drawCast } from './cast.ts'
import { type Waits, waitsDuring } from './waits.ts'

/** Something that is done to the books while they are used. */
export type Chore = { name: string; seconds: number; attempts: number; before: Waits; during: Waits }

/** Proves the books, and tells how many seconds that took. Throws when they are not whole. */
export async function provingSeconds(db: Database): Promise<number> {
  const began = performance.now()
  const { findings, unlisted } = await createLedgerCheck(db).check()
  if (findings.length > 0)
    throw new Error(`The books are not whole, ${findings.length + unlisted} times: ${JSON.stringify(findings[0])}`)
  return (performance.now() - began) / 1_000
}

/** Makes the month after those that there are, and takes out the oldest that is full: what a month asks of the maintenance role. */
export async function keepAMonth(db: Database): Promise<Chore[]> {
  const { all } = await drawCast(db)
  const chores: Chore[] = []
  for (const [name, call] of [
    ['make a month', sql`select ledger.make_month((ledger.clock() at time zone 'UTC' + interval '3 months')::date)`],
    ['detach a month', sql`select ledger.detach_month((${oldestFull})::date)`],
  ] as const) {
    const { result, ...waits } = await waitsDuring(db, all, () => untilDone(() => call.execute(db)))
    chores.push({ name, ...result, ...waits })
  }
  return chores
}

const oldestFull = sql`date_trunc('month', ledger.clock() at time zone 'UTC') - interval '2 months'`

/** Who keeps the months gives way to whoever uses them, and tries again at its next look. */
async function untilDone(work: () => Promise<unknown>): Promise<{ seconds: number; attempts: number }> {
  const began = performance.now()
  for (let attempts = 1; ; attempts++) {
    try {
      await work()
      return { seconds: (performance.now() - began) / 1_000, attempts }
    } catch (error) {
      if (attempts === MOST_ATTEMPTS || !isLockTimeout(error)) throw error
    }
  }
}

const MOST_ATTEMPTS = 20
const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03'

/** Compares a detached month with what was noted of it, as one would after bringing it back from an archive; then drops it. */
export async function dropArchive(db: Database): Promise<void> {
  const { rows } = await sql<{ name: string; month: string }>`
    select c.relname as name, to_char(to_date(right(c.relname, 7), 'YYYY_MM'), 'YYYY-MM-DD') as month
    from pg_class c where c.relnamespace = 'ledger_archive'::regnamespace and c.relname like 'entry_%' and c.relkind = 'r'`.execute(
    db,
  )
  for (const { name, month } of rows) {
    const entries = sql.id('ledger_archive', name)
    const differences = await sql`
      (select account_id, count(*), coalesce(sum(amount) filter (where grant_id is not null), 0) from ${entries} group by 1)
      except select account_id, entries, moved from ledger.archived_month where month = ${month}::date`.execute(db)
    if (differences.rows.length > 0) throw new Error(`${name} is not what was noted of it.`)
    await sql`drop table ${entries}, ${sql.id('ledger_archive', name.replace('entry', 'reservation'))}`.execute(db)
  }
}
