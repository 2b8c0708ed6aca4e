import type { AccountId } from '@weir/contracts'
import { uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** What is wrong in the books of these accounts, recomputed from the rows alone; empty when they are whole. */
export async function faultsOf(db: Database, accountIds: readonly AccountId[]): Promise<string[]> {
  const { rows } = await sql<{ fault: string }>`
    with asked as (select unnest(${accountIds.map(uuidOf)}::uuid[]) as id),
    account as (select * from ledger.account where id in (select id from asked)),
    credit_grant as (select * from ledger.credit_grant where account_id in (select id from asked)),
    reservation as (select * from ledger.reservation where account_id in (select id from asked)),
    entry as (select * from ledger.entry where account_id in (select id from asked)),
    movement as (
      select *, case kind when 'grant' then amount when 'charge' then -amount else 0 end as moved from entry
    ),
    figures as (
      select a.*,
        (select coalesce(sum(balance), 0) from credit_grant g where g.account_id = a.id) as of_grants,
        (select coalesce(sum(moved), 0) from movement m where m.account_id = a.id) as of_entries,
        (select coalesce(sum(amount), 0) from reservation r where r.account_id = a.id and state = 'open') as of_open,
        (select count(*) from entry e where e.account_id = a.id) as entries,
        (select coalesce(max(sequence), 0) from entry e where e.account_id = a.id) as newest
      from account a
    ),
    chain as (
      select *, sum(moved) over (partition by grant_id order by sequence) as running,
        row_number() over (partition by grant_id order by sequence desc) = 1 as is_last
      from movement where grant_id is not null
    )
    select 'the balance is not what its grants hold' as fault from figures where balance <> of_grants
    union all select 'the balance is not what its entries moved' from figures where balance <> of_entries
    union all select 'held is not what open reservations hold' from figures where held <> of_open
    union all select 'held is below zero or above the balance' from figures where held < 0 or held > balance
    union all select 'the entries have a gap' from figures where entries <> sequence or newest <> sequence
    union all select 'an entry does not continue the chain of its grant' from chain where balance_after <> running
    union all select 'a grant does not hold what its last entry says'
      from credit_grant g left join chain c on c.grant_id = g.id and c.is_last
      where c.balance_after is distinct from g.balance
    union all select 'a grant is not entered with its amount'
      from credit_grant g left join entry e on e.grant_id = g.id and e.kind = 'grant'
      where e.amount is distinct from g.amount or e.ref <> g.id or e.account_id <> g.account_id
    union all select 'the charges of a completion are not what its reservation captured'
      from reservation r left join (select ref, sum(amount) as charged from entry where kind = 'charge' group by ref) e
        on e.ref = r.id
      where coalesce(e.charged, 0) <> r.captured
    union all select 'a charge has no reservation'
      from entry e left join reservation r on r.id = e.ref and r.account_id = e.account_id
      where e.kind <> 'grant' and r.id is null
    union all select 'credits are reserved on an account without books'
      from reservation r left join account a on a.id = r.account_id where a.id is null and r.amount > 0`.execute(db)
  return [...new Set(rows.map(({ fault }) => fault))]
}
