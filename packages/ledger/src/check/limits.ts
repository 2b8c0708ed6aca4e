import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

/** A reservation counts against the limits its key had when it was made, in the periods in which it was made. */
export const keySpendIsWhatItsReservationsCount = {
  invariant: 'key-spend-is-what-its-reservations-count',
  subject: 'key',
  findings: ({ only }) => sql`
    select account_id, key_id as subject,
      format('in its %s from %s it holds %s and has spent %s, its reservations hold %s and captured %s', period, starts_at,
        sum(booked_held), sum(booked_spent), sum(held), sum(captured)) as message
    from (
      select account_id, key_id, period, starts_at, held as booked_held, spent as booked_spent, 0::bigint as held, 0::bigint as captured
        from ledger.key_spend where ${only('account_id')}
      union all
      select r.account_id, r.key_id, p.period,
        case p.period when 'total' then '-infinity' else date_trunc(p.period, r.created_at, 'UTC') end,
        0, 0, case r.state when 'open' then r.amount else 0 end, r.captured
        from ledger.reservation r join (values (1, 'day'), (2, 'month'), (4, 'total')) p(bit, period) on r.counted & p.bit <> 0
        where r.counted <> 0 and ${only('r.account_id')}
      union all
      select account_id, key_id, period, starts_at, 0, 0, 0, spent from ledger.archived_spend where ${only('account_id')}
    ) as side
    group by account_id, key_id, period, starts_at
    having sum(booked_held) <> sum(held) or sum(booked_spent) <> sum(captured)`,
} as const satisfies Invariant
