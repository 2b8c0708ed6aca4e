import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

export const reservationEndsOnce = {
  invariant: 'reservation-ends-once',
  subject: 'completion',
  findings: ({ only }) => sql`
    select account_id, id as subject,
      format('it is %s%s, costs %s and captured %s', state, ' since ' || closed_at, coalesce(cost::text, 'nothing yet'), captured) as message
    from ledger.reservation
    where ${only('account_id')} and not coalesce(case state
      when 'open' then closed_at is null and cost is null and captured = 0
      when 'settled' then closed_at is not null and 0 <= captured and captured <= cost
      when 'released' then closed_at is not null and cost = 0 and captured = 0
      when 'expired' then closed_at is not null and cost = 0 and captured = 0 end, false)`,
} as const satisfies Invariant

/** A completion is charged what its reservation captured, once, and only when it is settled. */
export const chargesAreWhatWasCaptured = {
  invariant: 'charges-are-what-was-captured',
  subject: 'completion',
  findings: ({ only }) => sql`
    with charged as (
      select ref, account_id, -sum(amount) as charged from ledger.entry
      where kind = 'charge' and ${only('account_id')} group by ref, account_id
    )
    select coalesce(c.account_id, r.account_id) as account_id, coalesce(c.ref, r.id) as subject,
      format('its charges are %s, its reservation is %s and captured %s',
        coalesce(c.charged, 0), coalesce(r.state, 'not there'), coalesce(r.captured, 0)) as message
    from charged c
      full join (select * from ledger.reservation where ${only('account_id')}) as r on r.id = c.ref and r.account_id = c.account_id
    where coalesce(c.charged, 0) <> coalesce(r.captured, 0) or c.ref is not null and r.state <> 'settled'`,
} as const satisfies Invariant

/** What a completion cost and nobody paid stands in the books. */
export const uncollectedIsWhatWasNotPaid = {
  invariant: 'uncollected-is-what-was-not-paid',
  subject: 'completion',
  findings: ({ only }) => sql`
    select account_id, id as subject,
      format('of its cost %s was not captured, its entry says %s', sum(unpaid), sum(booked)) as message
    from (
      select account_id, id, cost - captured as unpaid, 0::bigint as booked
        from ledger.reservation where cost <> captured and ${only('account_id')}
      union all
      select account_id, ref, 0, -amount from ledger.entry where kind = 'uncollected' and ${only('account_id')}
    ) as side
    group by account_id, id having sum(unpaid) <> sum(booked)`,
} as const satisfies Invariant

/** Whoever works on a completion extends its lease; past it, somebody should have ended it. */
export const reservationEndsWithItsLease = {
  invariant: 'reservation-ends-with-its-lease',
  subject: 'completion',
  findings: ({ only, checkedAt, leaseGraceMs }) => sql`
    select account_id, id as subject, format('it holds %s back, though its lease ended at %s', amount, expires_at) as message
    from ledger.reservation
    where state = 'open' and expires_at < ${checkedAt}::timestamptz - ${leaseGraceMs}::float8 * interval '1 ms'
      and ${only('account_id')}`,
} as const satisfies Invariant
