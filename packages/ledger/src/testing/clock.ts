import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type TestClock = {
  /** From now on it is this time for the books. */
  turnTo(at: Date): Promise<void>
}

/** Takes the clock of a test's own books into its hand: it stands where it was turned to, and may go back. */
export async function takeClock(db: Database, at: Date): Promise<TestClock> {
  await sql`create table public.turned_clock (at timestamptz not null)`.execute(db)
  await sql`insert into public.turned_clock values (${at.toISOString()})`.execute(db)
  await sql`create or replace function ledger.clock() returns timestamptz language sql volatile
    as 'select at from public.turned_clock'`.execute(db)
  return {
    async turnTo(time) {
      await sql`update public.turned_clock set at = ${time.toISOString()}`.execute(db)
    },
  }
}
