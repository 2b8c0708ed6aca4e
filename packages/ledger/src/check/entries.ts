import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

/** The sequence of an account is gapless, so an entry that was taken away leaves a hole. */
export const entriesAreGapless = {
  invariant: 'entries-are-gapless',
  subject: 'account',
  findings: ({ only }) => sql`
    with counted as (
      select account_id, count(*) as entries, count(distinct sequence) as numbers, min(sequence) as oldest, max(sequence) as newest
      from ledger.entry where ${only('account_id')} group by account_id
    ), archived as (
      select account_id, sum(entries) as entries from ledger.archived_month where ${only('account_id')} group by account_id
    ), side as (
      select coalesce(a.id, c.account_id) as account_id, coalesce(a.sequence, 0) as sequence,
        coalesce(c.entries, 0) as entries, coalesce(c.numbers, 0) as numbers, coalesce(d.entries, 0) as archived,
        coalesce(c.oldest, 1) as oldest, coalesce(c.newest, 0) as newest
      from (select * from ledger.account where ${only('id')}) as a
        full join counted c on c.account_id = a.id
        left join archived d on d.account_id = coalesce(a.id, c.account_id)
    )
    select account_id, account_id as subject,
      format('it has counted %s entries; there are %s with %s numbers from %s to %s, and %s in the archive',
        sequence, entries, numbers, oldest, newest, archived) as message
    from side
    where entries + archived <> sequence or numbers <> entries or oldest < 1 or newest > sequence`,
} as const satisfies Invariant

/**
 * Each entry continues the balance of its grant where the one before it ended, so an edit breaks a link. An entry lies in
 * the month of what it belongs to, so an archived one may be missing anywhere: a link is proved where, by the numbers of
 * the account, none is missing in between.
 */
export const grantChainIsUnbroken = {
  invariant: 'grant-chain-is-unbroken',
  subject: 'grant',
  findings: ({ only }) => sql`
    with numbered as (
      select *, sequence - row_number() over (partition by account_id order by sequence) as missing
      from ledger.entry where ${only('account_id')}
    ), linked as (
      select *, lag(balance_after) over chain as balance_before, lag(missing) over chain as missing_before
      from numbered where grant_id is not null
      window chain as (partition by account_id, grant_id order by sequence)
    )
    select account_id, grant_id as subject,
      format('its entry %s moved %s from %s to %s', sequence, amount, coalesce(balance_before, 0), balance_after) as message
    from linked
    where missing = coalesce(missing_before, 0) and balance_after <> coalesce(balance_before, 0) + amount`,
} as const satisfies Invariant

export const grantHoldsWhatItsLastEntrySays = {
  invariant: 'grant-holds-what-its-last-entry-says',
  subject: 'grant',
  findings: ({ only }) => sql`
    with numbered as (
      select account_id, sequence, grant_id, balance_after,
        sequence - row_number() over (partition by account_id order by sequence) as missing
      from ledger.entry where ${only('account_id')}
    ), newest as (
      select distinct on (account_id, grant_id) * from numbered
      where grant_id is not null order by account_id, grant_id, sequence desc
    ), archived as (
      select account_id, sum(entries) as entries from ledger.archived_month where ${only('account_id')} group by account_id
    )
    select e.account_id, e.grant_id as subject,
      format('it holds %s, its last entry %s leaves %s', g.balance, e.sequence, e.balance_after) as message
    from newest e
      join ledger.credit_grant g on g.id = e.grant_id
      left join archived d on d.account_id = e.account_id
    -- All that is archived lies before it: it is the last one.
    where e.missing = coalesce(d.entries, 0) and e.balance_after <> g.balance`,
} as const satisfies Invariant

export const entryNamesAGrantOfItsAccount = {
  invariant: 'entry-names-a-grant-of-its-account',
  subject: 'grant',
  findings: ({ only }) => sql`
    select e.account_id, e.grant_id as subject, format('%s entries name it, which is no grant of this account', count(*)) as message
    from ledger.entry e left join ledger.credit_grant g on g.id = e.grant_id and g.account_id = e.account_id
    where e.grant_id is not null and g.id is null and ${only('e.account_id')}
    group by e.account_id, e.grant_id`,
} as const satisfies Invariant
