import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

/** Credits have a source: one entry that gives them, all at once. */
export const grantIsOpenedOnce = {
  invariant: 'grant-is-opened-once',
  subject: 'grant',
  findings: ({ only }) => sql`
    with opening as (
      select g.id, count(*) as openings, min(e.amount) as amount, min(e.balance_after) as balance_after
      from ledger.credit_grant g join ledger.entry e on e.grant_id = g.id and e.account_id = g.account_id
      -- A refund gives a grant only where the one it was drawn from has ended; else it fills that one again.
      where ${only('e.account_id')} and e.amount > 0
        and (e.kind in ('grant', 'adjustment') or e.kind = 'refund' and e.created_at = g.created_at)
      group by g.id
    ), archived as (
      select grant_id, sum(openings) as openings from ledger.archived_grant where ${only('account_id')} group by grant_id
    )
    select g.account_id, g.id as subject,
      format('its amount is %s; %s entries give it%s', g.amount, coalesce(o.openings, 0) + coalesce(d.openings, 0),
        ', of ' || o.amount || ' to ' || o.balance_after) as message
    from ledger.credit_grant g left join opening o on o.id = g.id left join archived d on d.grant_id = g.id
    where ${only('g.account_id')} and (coalesce(o.openings, 0) + coalesce(d.openings, 0) <> 1
      or o.amount <> g.amount or o.balance_after <> g.amount)`,
} as const satisfies Invariant

export const grantIsWithinItsAmount = {
  invariant: 'grant-is-within-its-amount',
  subject: 'grant',
  findings: ({ only }) => sql`
    select account_id, id as subject, format('of %s it holds %s', amount, balance) as message
    from ledger.credit_grant where ${only('account_id')} and not (0 <= balance and balance <= amount)`,
} as const satisfies Invariant

/** A closed grant is not drawn from, and what has ended is taken only from open ones. */
export const grantIsClosedWhenEmpty = {
  invariant: 'grant-is-closed-when-empty',
  subject: 'grant',
  findings: ({ only }) => sql`
    select account_id, id as subject, format('it is %s and holds %s', case when closed then 'closed' else 'open' end, balance) as message
    from ledger.credit_grant where ${only('account_id')} and closed <> (balance = 0)`,
} as const satisfies Invariant
