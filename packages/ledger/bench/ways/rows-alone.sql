-- The bound: the rows of a batch of pairs, written by the same kinds of statements, by a function with nothing to decide.
-- It makes its ids and draws its accounts itself, so that the process that calls it costs nothing either. What it writes
-- has the size of books and is none.
create schema bench;
create table bench.drawn_from (number int primary key, account_id uuid not null, grant_id uuid not null);

-- Makes so many reservations and ends those of the batch before, nine of ten of them with an entry.
create function bench.write(pairs int, accounts int, ended uuid[], ended_by int[], out made uuid[], out made_by int[])
language plpgsql
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  at timestamptz;
  settled int := pairs * 9 / 10;
begin
  made := array(select uuidv7() from generate_series(1, pairs));
  made_by := array(select floor(random() * accounts)::int from generate_series(1, pairs));
  perform from ledger.account t
    where t.id = any(array(select d.account_id from bench.drawn_from d where d.number = any(made_by || ended_by)))
    order by t.id for update;
  at := clock_timestamp();

  insert into ledger.reservation (id, account_id, key_id, price_id, quote, amount, counted, created_at, expires_at)
    select o.id, d.account_id, o.id, o.id, 2000, 2000, 0, at, at + interval '10 minutes'
    from unnest(made, made_by) o(id, number) join bench.drawn_from d on d.number = o.number;
  update ledger.reservation t set state = 'settled', cost = 700, captured = 700, closed_at = at
    from unnest(ended) o where t.id = any(array[o]);
  insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
    select d.account_id, o.i, 'charge', o.id, d.grant_id, -700, 1000000000000000, at
    from unnest(ended[1:settled], ended_by[1:settled]) with ordinality o(id, number, i)
    join bench.drawn_from d on d.number = o.number;
  update ledger.credit_grant t set balance = t.balance - 1, closed = false
    from (select distinct unnest(ended_by[1:settled])) o(number) join bench.drawn_from d on d.number = o.number
    where t.id = d.grant_id;
  update ledger.account t set held = t.held + 1, sequence = t.sequence + 1, version = t.version + 1, last_at = at
    from (select distinct unnest(made_by || ended_by)) o(number) join bench.drawn_from d on d.number = o.number
    where t.id = d.account_id;
end $$;
