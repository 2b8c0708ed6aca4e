import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

// Each of these lays what is booked beside what the rows come to. Both sides are stacked and added up, so that what stands
// on one side only, as entries without an account, is found, too.

export const balanceIsWhatGrantsHold = {
  invariant: 'balance-is-what-grants-hold',
  subject: 'account',
  findings: ({ only }) => sql`
    select account_id, account_id as subject, format('its balance is %s, its grants hold %s', sum(booked), sum(held)) as message
    from (
      select id as account_id, balance as booked, 0::bigint as held from ledger.account where ${only('id')}
      union all
      select account_id, 0, balance from ledger.credit_grant where ${only('account_id')}
    ) as side
    group by account_id having sum(booked) <> sum(held)`,
} as const satisfies Invariant

export const balanceIsWhatEntriesMoved = {
  invariant: 'balance-is-what-entries-moved',
  subject: 'account',
  findings: ({ only }) => sql`
    select account_id, account_id as subject, format('its balance is %s, its entries moved %s', sum(booked), sum(moved)) as message
    from (
      select id as account_id, balance as booked, 0::bigint as moved from ledger.account where ${only('id')}
      union all
      select account_id, 0, sum(amount) from ledger.entry
        where grant_id is not null and ${only('account_id')} group by account_id
      union all
      select account_id, 0, moved from ledger.archived_month where ${only('account_id')}
    ) as side
    group by account_id having sum(booked) <> sum(moved)`,
} as const satisfies Invariant

export const grantHoldsWhatEntriesMoved = {
  invariant: 'grant-holds-what-entries-moved',
  subject: 'grant',
  findings: ({ only }) => sql`
    select account_id, grant_id as subject, format('it holds %s, its entries moved %s', sum(booked), sum(moved)) as message
    from (
      select account_id, id as grant_id, balance as booked, 0::bigint as moved
        from ledger.credit_grant where ${only('account_id')}
      union all
      select account_id, grant_id, 0, sum(amount) from ledger.entry
        where grant_id is not null and ${only('account_id')} group by account_id, grant_id
      union all
      select account_id, grant_id, 0, moved from ledger.archived_grant where ${only('account_id')}
    ) as side
    group by account_id, grant_id having sum(booked) <> sum(moved)`,
} as const satisfies Invariant

export const heldIsWhatIsReserved = {
  invariant: 'held-is-what-is-reserved',
  subject: 'account',
  findings: ({ only }) => sql`
    select account_id, account_id as subject, format('it holds %s back, its open reservations need %s', sum(booked), sum(reserved)) as message
    from (
      select id as account_id, held as booked, 0::bigint as reserved from ledger.account where ${only('id')}
      union all
      select account_id, 0, amount from ledger.reservation where state = 'open' and ${only('account_id')}
    ) as side
    group by account_id having sum(booked) <> sum(reserved)`,
} as const satisfies Invariant

/** What decides when a grant that has ended may be taken. */
export const heldBeforeIsWhatIsReserved = {
  invariant: 'held-before-is-what-is-reserved',
  subject: 'account',
  findings: ({ only }) => sql`
    select a.id as account_id, a.id as subject,
      format('it holds %s back from before %s, its open reservations of then need %s',
        a.held_before, a.before_at, coalesce(sum(r.amount), 0)) as message
    from ledger.account a
      left join ledger.reservation r on r.account_id = a.id and r.state = 'open' and r.created_at < a.before_at
    where ${only('a.id')}
    group by a.id having a.held_before <> coalesce(sum(r.amount), 0)`,
} as const satisfies Invariant

export const heldIsWithinBalance = {
  invariant: 'held-is-within-balance',
  subject: 'account',
  findings: ({ only }) => sql`
    select id as account_id, id as subject,
      format('its balance is %s, it holds %s back, %s of it from before', balance, held, held_before) as message
    from ledger.account
    where ${only('id')} and not (0 <= held_before and held_before <= held and held <= balance)`,
} as const satisfies Invariant
