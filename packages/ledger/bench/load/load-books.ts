import { readFile } from 'node:fs/promises'
import type { Database } from '@weir/runtime'
import { CompiledQuery, sql } from 'kysely'

/** So many customers, however many completions. */
const ACCOUNTS = 1_000

/** Completions lie in the present month and the two before it. */
const MONTHS = 3

export type Load = {
  completions: number
  /** So many months before the present one have partitions, most of them empty. */ monthsKept: number
}

/** Fills empty books with settled completions (see `books.sql`), and tells how many seconds that took. */
export async function loadBooks(db: Database, { completions, monthsKept }: Load): Promise<number> {
  await sql`
    select ledger.make_month((ledger.clock() at time zone 'UTC' - ago * interval '1 month')::date)
    from generate_series(1, ${Math.max(monthsKept, MONTHS - 1)}::int) ago`.execute(db)
  await db.executeQuery(CompiledQuery.raw(await readFile(new URL('books.sql', import.meta.url), 'utf8')))

  const spans = await spansOf(db)
  const began = performance.now()
  await sql`call load.open_accounts(${ACCOUNTS}::int, ${completions}::bigint,
    ${spans[0]!.starts_at}::timestamptz, ${spans.at(-1)!.ends_at}::timestamptz)`.execute(db)
  // Each month has tables of its own, so that they can be filled side by side.
  await Promise.all(
    spans.map(({ starts_at, ends_at }, month) => {
      const [first, next] = [month, month + 1].map((n) => Math.round((n * completions) / MONTHS))
      return sql`call load.write_completions(
        ${first}::bigint, ${next! - 1}::bigint, ${starts_at}::timestamptz, ${ends_at}::timestamptz, ${ACCOUNTS}::int
      )`.execute(db)
    }),
  )
  await sql`vacuum analyze`.execute(db)
  return (performance.now() - began) / 1_000
}

/** When the completions of each month were reserved: not in its first and last second, and not after now. */
async function spansOf(db: Database): Promise<{ starts_at: Date; ends_at: Date }[]> {
  const { rows } = await sql<{ starts_at: Date; ends_at: Date }>`
    select month at time zone 'UTC' + interval '1 second' as starts_at, greatest(
      month at time zone 'UTC' + interval '2 seconds',
      least((month + interval '1 month') at time zone 'UTC' - interval '1 second', ledger.clock() - interval '1 minute')
    ) as ends_at
    from generate_series(0, ${MONTHS - 1}::int) ago,
      lateral (select date_trunc('month', ledger.clock() at time zone 'UTC') - ago * interval '1 month' as month) as m
    order by month`.execute(db)
  return rows
}
