import type { AccountId } from '@weir/contracts'
import { uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** What is wrong in the books of these accounts, recomputed from the rows alone; empty when they are whole. */
export async function faultsOf(db: Database, accountIds: readonly AccountId[]): Promise<string[]> {
  const { rows } = await sql<{ fault: string }>`
    with asked as (select unnest(${accountIds.map(uuidOf)}::uuid[]) as id),
    account as (select * from ledger.account where id in (select id from asked)),
    credit_grant as (
      select *, least(expires_at, revoked_at) as ends_at from ledger.credit_grant
      where account_id in (select id from asked)
    ),
    reservation as (select * from ledger.reservation where account_id in (select id from asked)),
    entry as (select * from ledger.entry where account_id in (select id from asked)),
    action as (select * from ledger.action where account_id in (select id from asked)),
    movement as (select * from entry where kind <> 'uncollected'),
    figures as (
      select a.*,
        (select coalesce(sum(balance), 0) from credit_grant g where g.account_id = a.id) as of_grants,
        (select coalesce(sum(amount), 0) from movement m where m.account_id = a.id) as of_entries,
        (select coalesce(sum(moved), 0) from action c where c.account_id = a.id)
          - (select coalesce(sum(captured), 0) from reservation r where r.account_id = a.id) as of_causes,
        (select coalesce(sum(amount), 0) from reservation r where r.account_id = a.id and state = 'open') as of_open,
        (select coalesce(sum(amount), 0) from reservation r
          where r.account_id = a.id and state = 'open' and r.created_at < a.before_at) as of_open_before,
        (select count(*) from entry e where e.account_id = a.id) as entries,
        (select coalesce(max(sequence), 0) from entry e where e.account_id = a.id) as newest
      from account a
    ),
    chain as (
      select *, sum(amount) over (partition by grant_id order by sequence) as running,
        row_number() over (partition by grant_id order by sequence) = 1 as is_first,
        row_number() over (partition by grant_id order by sequence desc) = 1 as is_last
      from movement
    ),
    of_completion as (
      select ref, -sum(amount) filter (where kind = 'charge') as charged,
        -sum(amount) filter (where kind = 'uncollected') as uncollected
      from entry where kind in ('charge', 'uncollected') group by ref
    ),
    counted as (
      select r.account_id, r.key_id, p.period, ledger.period_start(p.period, r.created_at) as starts_at,
        sum(case r.state when 'open' then r.amount else 0 end) as held, sum(r.captured) as spent
      from reservation r join (values (1, 'day'), (2, 'month'), (4, 'total')) p(code, period) on r.counted & p.code <> 0
      group by 1, 2, 3, 4
    ),
    spend as (select * from ledger.key_spend where account_id in (select id from asked))
    select 'the balance is not what its grants hold' as fault from figures where balance <> of_grants
    union all select 'the balance is not what its entries moved' from figures where balance <> of_entries
    union all select 'the balance is not what actions brought and completions took' from figures where balance <> of_causes
    union all select 'held is not what open reservations hold' from figures where held <> of_open
    union all select 'held before is not what early reservations hold' from figures where held_before <> of_open_before
    union all select 'held is below zero or above the balance' from figures where held < 0 or held > balance
    union all select 'the entries have a gap' from figures where entries <> sequence or newest <> sequence
    union all select 'an entry does not continue the chain of its grant' from chain where balance_after <> running
    union all select 'a grant does not hold what its last entry says'
      from credit_grant g left join chain c on c.grant_id = g.id and c.is_last
      where c.balance_after is distinct from g.balance
    union all select 'a grant is not entered with its amount'
      from credit_grant g left join chain c on c.grant_id = g.id and c.is_first
      where c.amount is distinct from g.amount or c.account_id <> g.account_id
        or c.kind not in ('grant', 'adjustment', 'refund')
    union all select 'a grant is closed that holds credits, or open that holds none'
      from credit_grant where closed <> (balance = 0)
    union all select 'the charges of a completion are not what its reservation captured'
      from reservation r left join of_completion o on o.ref = r.id where coalesce(o.charged, 0) <> r.captured
    union all select 'what a completion did not pay is not in the books'
      from reservation r left join of_completion o on o.ref = r.id
      where coalesce(o.uncollected, 0) <> r.cost - r.captured
    union all select 'a charge has no reservation'
      from entry e left join reservation r on r.id = e.ref and r.account_id = e.account_id
      where e.kind in ('charge', 'uncollected') and r.id is null
    union all select 'a completion was paid from a grant that had ended before it was reserved'
      from movement m join credit_grant g on g.id = m.grant_id join reservation r on r.id = m.ref
      where m.kind = 'charge' and g.ends_at <= r.created_at
    union all select 'a completion was refunded more than it was charged'
      from reservation r join action c on c.completion_id = r.id group by r.id, r.captured having sum(c.moved) > r.captured
    union all select 'the entries of an action are not what it moved'
      from action c left join movement m on m.ref = c.id and m.account_id = c.account_id
      group by c.id, c.moved having coalesce(sum(m.amount), 0) <> c.moved
    union all select 'an entry has no action'
      from movement m left join action c on c.id = m.ref and c.account_id = m.account_id
      where m.kind <> 'charge' and c.id is null
    union all select 'the spend of a key is not what its completions hold and paid'
      from counted c full join spend s using (account_id, key_id, period, starts_at)
      where (coalesce(c.held, 0), coalesce(c.spent, 0)) is distinct from (coalesce(s.held, 0), coalesce(s.spent, 0))
    union all select 'credits are reserved on an account without books'
      from reservation r left join account a on a.id = r.account_id where a.id is null and r.amount > 0`.execute(db)
  return [...new Set(rows.map(({ fault }) => fault))]
}
