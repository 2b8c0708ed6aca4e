-- Books of any size, without asking ledger.apply millions of times. What a customer has spent after so many completions
-- is known without adding it up, so every row can be computed by itself, in any order.
create schema load;

-- What completions cost, in turns: the k-th one of an account as much as the k-th of any other.
create function load.spent(completions bigint) returns bigint language sql immutable as $$
  select completions / 8 * 7232 + ('{0,700,1612,1899,3333,4040,5990,6491}'::bigint[])[completions % 8 + 1]
$$;

-- Account 0 is the busy one: every fourth completion is its own, the others take turns.
create function load.account_of(number bigint, accounts int) returns int language sql immutable as $$
  select (case number % 4 when 0 then 0 else 1 + (number / 4 * 3 + number % 4 - 1) % (accounts - 1) end)::int
$$;
-- How many completions of its account come before it.
create function load.place_of(number bigint, accounts int) returns bigint language sql immutable as $$
  select case number % 4 when 0 then number / 4 else (number / 4 * 3 + number % 4 - 1) / (accounts - 1) end
$$;

-- Each has a promotional grant, drawn first and drained by half of what it buys, and a purchased one for the rest.
create table load.account (
  number int primary key,
  id uuid not null,
  key_id uuid not null,
  completions bigint not null,
  promotional_id uuid not null,
  promotional_action uuid not null,
  promotional bigint not null,
  purchased_id uuid not null,
  purchased_action uuid not null,
  purchased bigint not null
);

-- The accounts and their grants, given at `opened_at`, as they are after `completions` completions, at `last_at`.
create procedure load.open_accounts(accounts int, completions bigint, opened_at timestamptz, last_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  age interval := opened_at - clock_timestamp();
begin
  insert into load.account
    select number, uuidv7(age), uuidv7(age), c.count, uuidv7(age), uuidv7(age),
      -- One microcredit more than half of them cost: the next one draws from both grants.
      load.spent(c.count / 2) + 1, uuidv7(age), uuidv7(age), 1000000000000000
    from generate_series(0, accounts - 1) number, lateral (
      select case number when 0 then (completions + 3) / 4
        else (completions - (completions + 3) / 4 + accounts - 1 - number) / (accounts - 1) end as count) c;

  insert into ledger.account (id, balance, sequence, version, last_at)
    select id, promotional + purchased - load.spent(completions), 2 + completions + (completions > 0)::int,
      2 + 2 * completions, last_at from load.account;
  insert into ledger.credit_grant (id, account_id, kind, priority, amount, balance, closed, created_at)
    select promotional_id, id, 'promotional', 100, promotional, g.balance, g.balance = 0, opened_at
    from load.account, lateral (select promotional - least(promotional, load.spent(completions)) as balance) g
    union all
    select purchased_id, id, 'purchased', 100, purchased,
      purchased - greatest(load.spent(completions) - promotional, 0), false, opened_at from load.account;

  insert into ledger.action (id, account_id, kind, reference, amount, grant_kind, priority, grant_id, moved, actor, created_at)
    select a.action, id, 'grant', a.action, a.amount, a.kind, 100, a.grant_id, a.amount, 'load', opened_at
    from load.account, lateral (values (promotional_action, 'promotional', promotional_id, promotional),
      (purchased_action, 'purchased', purchased_id, purchased)) a(action, kind, grant_id, amount);
  insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
    select id, a.sequence, 'grant', a.action, a.grant_id, a.amount, a.amount, opened_at
    from load.account, lateral (values (1, promotional_action, promotional_id, promotional),
      (2, purchased_action, purchased_id, purchased)) a(sequence, action, grant_id, amount);
end $$;

-- Completions, evenly spread over a time, each settled three seconds after it was reserved. They are begun 20,000 at a
-- time and ended in parts, with a commit after each: rows are inserted open, room for the next version is left on
-- their page and used, and what is dead is pruned on the way, as in the life of a service.
create procedure load.write_completions(
  first_number bigint, last_number bigint, starts_at timestamptz, ends_at timestamptz, accounts int
) language plpgsql as $$
declare
  lot constant int := 20000;
  parts constant int := 5;
  step interval := (ends_at - starts_at) / (last_number - first_number + 1);
begin
  create temporary table begun (
    number bigint, id uuid, at timestamptz, account_id uuid, key_id uuid, place bigint, before bigint, after bigint,
    middle bigint, promotional bigint, promotional_id uuid, purchased bigint, purchased_id uuid);

  for lot_first in first_number .. last_number by lot loop
    truncate begun;
    insert into begun
      select n.number, uuidv7(n.at - clock_timestamp()), n.at, a.id, a.key_id, n.place,
        load.spent(n.place), load.spent(n.place + 1), a.completions / 2, a.promotional, a.promotional_id, a.purchased, a.purchased_id
      from (
        select number, starts_at + (number - first_number) * step + step / 2 as at,
          load.account_of(number, accounts) as account, load.place_of(number, accounts) as place
        from generate_series(lot_first, least(lot_first + lot - 1, last_number)) number) n
      join load.account a on a.number = n.account;
    insert into ledger.reservation (id, account_id, key_id, quote, amount, created_at, expires_at)
      select id, account_id, key_id, 2 * (after - before), 2 * (after - before), at, at + interval '10 minutes'
      from begun order by number;
    commit;

    for part in 0 .. parts - 1 loop
      update ledger.reservation t set state = 'settled', cost = b.after - b.before, captured = b.after - b.before,
          closed_at = b.at + interval '3 seconds'
        from begun b where t.id = b.id and b.number % parts = part;
      commit;
    end loop;

    insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
      -- Two of each account are its grants, and the completion in the middle has two.
      select account_id, 3 + place + (place > middle)::int, 'charge', id, promotional_id,
          before - least(after, promotional), promotional - least(after, promotional), at + interval '3 seconds'
        from begun where before < promotional
      union all
      select account_id, 3 + place + (place >= middle)::int, 'charge', id, purchased_id,
          greatest(before, promotional) - after, purchased - (after - promotional), at + interval '3 seconds'
        from begun where after > promotional;
    commit;
  end loop;
  drop table begun;
end $$;
