import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

/** What lies in no month was named by a clock that is wrong, or its month was not made in time. */
export const rowsLieInTheirMonth = {
  invariant: 'rows-lie-in-their-month',
  subject: 'account',
  findings: ({ only }) => sql`
    select account_id, account_id as subject,
      format('%s of its reservations and %s of its entries lie in no month, such as %s',
        count(*) filter (where not is_entry), count(*) filter (where is_entry), min(id::text)) as message
    from (
      select account_id, id, false as is_entry from ledger.reservation_default where ${only('account_id')}
      union all
      select account_id, ref, true from ledger.entry_default where ${only('account_id')}
    ) as stray
    group by account_id`,
} as const satisfies Invariant

/** Without its partitions, all that a month brings lies in the default one. */
export const monthsAreMadeAhead = {
  invariant: 'months-are-made-ahead',
  subject: 'month',
  findings: ({ checkedAt }) => sql`
    with month as (
      select date_trunc('month', ${checkedAt}::timestamptz, 'UTC') at time zone 'UTC' + ahead * interval '1 month' as starts_at
      from generate_series(0, 2) as ahead
    )
    select null::uuid as account_id, to_char(m.starts_at, 'YYYY-MM') as subject,
      format('it has no partition of %s', parent) as message
    from month m, unnest('{ledger.reservation,ledger.entry}'::regclass[]) as parent
    where not exists (
      select from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = parent and pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES FROM (%L) TO (%L)',
        ledger.first_id_at(m.starts_at at time zone 'UTC'),
        ledger.first_id_at((m.starts_at + interval '1 month') at time zone 'UTC')))`,
} as const satisfies Invariant
