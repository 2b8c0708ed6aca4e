import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** What is wrong in the books, recomputed from the rows alone; empty when they are whole. */
export async function faultsOf(db: Database): Promise<string[]> {
  const { rows } = await sql<{ fault: string }>`
    with of_grants as (
      select account_id, sum(balance) as balance from ledger.credit_grant group by account_id
    ), of_entries as (
      select account_id, sum(amount) as moved, count(*) as entries, max(sequence) as newest
      from ledger.entry where kind <> 'uncollected' group by account_id
    ), of_open as (
      select account_id, sum(amount) as reserved from ledger.reservation where state = 'open' group by account_id
    ), chain as (
      select grant_id, balance_after, sum(amount) over in_order as running, lead(sequence) over in_order is null as is_last
      from ledger.entry where grant_id is not null window in_order as (partition by grant_id order by sequence)
    ), charge as (
      select ref, account_id, -sum(amount) as charged from ledger.entry where kind = 'charge' group by ref, account_id
    )
    select 'a balance is not what its grants hold' as fault
      from ledger.account a left join of_grants g on g.account_id = a.id where a.balance is distinct from g.balance
    union all select 'a balance is not what its entries moved, or one of them is missing'
      from ledger.account a left join of_entries e on e.account_id = a.id
      where (a.balance, a.sequence, a.sequence) is distinct from (e.moved, e.entries, e.newest)
    union all select 'what is held is not what open reservations hold'
      from ledger.account a left join of_open o on o.account_id = a.id where a.held <> coalesce(o.reserved, 0)
    union all select 'an entry does not continue the chain of its grant' from chain where balance_after <> running
    union all select 'a grant does not hold what its last entry says'
      from ledger.credit_grant g left join chain c on c.grant_id = g.id and c.is_last
      where c.balance_after is distinct from g.balance
    union all select 'a completion was not charged what its reservation says'
      from ledger.reservation r left join charge c on c.ref = r.id and c.account_id = r.account_id
      where coalesce(c.charged, 0) <> r.captured
    union all select 'a charge has no reservation'
      from charge c left join ledger.reservation r on r.id = c.ref where r.id is null`.execute(db)
  return [...new Set(rows.map(({ fault }) => fault))]
}
