import { sql } from 'kysely'
import type { Invariant } from './invariant.ts'

/** What does not belong to a completion was done by somebody, under a name. */
export const entryHasItsAction = {
  invariant: 'entry-has-its-action',
  subject: 'action',
  findings: ({ only }) => sql`
    select e.account_id, e.ref as subject,
      format('entry %s is of kind %s, its action %s', e.sequence, e.kind, coalesce('of kind ' || t.kind, 'is not there')) as message
    from ledger.entry e left join ledger.action t on t.id = e.ref and t.account_id = e.account_id
    where e.kind not in ('charge', 'uncollected') and ${only('e.account_id')}
      and (e.kind, coalesce(t.kind, '')) not in (
        ('grant', 'grant'), ('adjustment', 'adjust'), ('refund', 'refund'), ('expiry', 'expire'), ('revocation', 'revoke'),
        -- What a revoked grant still had to pay for is taken later.
        ('revocation', 'expire'))`,
} as const satisfies Invariant

export const actionMovedWhatItsEntriesSay = {
  invariant: 'action-moved-what-its-entries-say',
  subject: 'action',
  findings: ({ only }) => sql`
    with entered as (
      select ref, account_id, sum(amount) as moved from ledger.entry
      where kind not in ('charge', 'uncollected') and ${only('account_id')} group by ref, account_id
    )
    select t.account_id, t.id as subject,
      format('it moved %s, its entries %s', t.moved, coalesce(e.moved, 0)) as message
    from ledger.action t left join entered e on e.ref = t.id and e.account_id = t.account_id
    where ${only('t.account_id')} and t.moved <> coalesce(e.moved, 0)
      -- Actions stay when the month of their entries is archived.
      and not (e.ref is null and exists (
        select from ledger.archived_month d
        where d.account_id = t.account_id
          and t.id >= ledger.first_id_at(d.month::timestamp at time zone 'UTC')
          and t.id < ledger.first_id_at((d.month + interval '1 month') at time zone 'UTC')))`,
} as const satisfies Invariant

/** What a completion was given back, it was charged before. */
export const refundsAreWithinTheCharge = {
  invariant: 'refunds-are-within-the-charge',
  subject: 'completion',
  findings: ({ only }) => sql`
    select r.account_id, r.id as subject, format('it was charged %s and refunded %s', r.captured, sum(t.moved)) as message
    from ledger.action t join ledger.reservation r on r.id = t.completion_id and r.account_id = t.account_id
    where t.kind = 'refund' and ${only('t.account_id')}
    group by r.account_id, r.id, r.captured having sum(t.moved) > r.captured`,
} as const satisfies Invariant
