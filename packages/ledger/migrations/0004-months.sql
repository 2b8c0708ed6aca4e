-- Reservations and entries by month. A row whose id lies in no month, as of a replica whose clock is wrong, goes to the
-- default partition: nothing is refused, and the books' check tells.
create table ledger.reservation_default partition of ledger.reservation default with (fillfactor = 50);
create table ledger.entry_default partition of ledger.entry default;
create trigger entry_append_only before update or delete or truncate on ledger.entry_default
  for each statement execute function ledger.refuse_change();
create schema ledger_archive;

-- Of a month that was taken out of the books, as ledger.archived_month: what its entries came to for each grant, and how
-- many of them gave it; and what its completions spent of each limit of a key. Grants, and limits of all time, live on.
create table ledger.archived_grant (
  account_id uuid not null,
  grant_id uuid not null,
  month date not null,
  moved bigint not null,
  openings bigint not null,
  primary key (grant_id, month)
);
create table ledger.archived_spend (
  account_id uuid not null,
  key_id uuid not null,
  period text not null,
  starts_at timestamptz not null,
  month date not null,
  spent bigint not null,
  primary key (account_id, key_id, period, starts_at, month)
);

-- Making or detaching a month waits for whoever uses the tables, and everybody else queues up behind that wait. So it is
-- short, and what cannot be locked is left for the next time. It is also shorter than deadlock_timeout: where two orders
-- of locking meet, it is this side that gives way, never an operation on the books.

-- Makes the partitions of one month, if they are not there, and returns how many were made. The tables are made apart and
-- then attached: others wait only while the default partition, nearly always empty, is looked through.
create function ledger.make_month(month date) returns int language plpgsql
security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
  first date := date_trunc('month', make_month.month::timestamp)::date;
  from_id uuid := ledger.first_id_at(first::timestamp at time zone 'UTC');
  to_id uuid := ledger.first_id_at((first + interval '1 month') at time zone 'UTC');
  parent text;
  child text;
  strays text;
  has_strays boolean;
  made int := 0;
begin
  -- Several processes may keep the months: one makes them, the others find them made.
  perform pg_advisory_xact_lock(hashtext('weir ledger months'));
  foreach parent in array '{reservation,entry}'::text[] loop
    child := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
    -- Not by to_regclass: it may answer from before the wait for the lock.
    continue when exists (
      select from pg_class c
      where c.relname = child and c.relnamespace in ('ledger'::regnamespace, 'ledger_archive'::regnamespace));
    execute format('create table ledger.%I (like ledger.%I including defaults including constraints including indexes)
      with (fillfactor = %s)', child, parent, case parent when 'reservation' then 50 else 100 end);

    -- What came before its month was made lies in the default partition, and no row may lie in two.
    execute format('lock table ledger.%I in access exclusive mode', parent || '_default');
    strays := format('from ledger.%I where %I >= %L and %2$I < %4$L',
      parent || '_default', case parent when 'reservation' then 'id' else 'ref' end, from_id, to_id);
    execute format('select exists (select %s)', strays) into has_strays;
    if has_strays then
      -- They are moved, not changed.
      if parent = 'entry' then alter table ledger.entry_default disable trigger entry_append_only; end if;
      execute format('with stray as (delete %s returning *) insert into ledger.%I select * from stray', strays, child);
      if parent = 'entry' then alter table ledger.entry_default enable trigger entry_append_only; end if;
    end if;

    execute format('alter table ledger.%I attach partition ledger.%I for values from (%L) to (%L)',
      parent, child, from_id, to_id);
    if parent = 'entry' then
      -- A trigger of statements is not inherited.
      execute format('create trigger entry_append_only before update or delete or truncate on ledger.%I
        for each statement execute function ledger.refuse_change()', child);
    end if;
    made := made + 1;
  end loop;
  return made;
end $$;

-- Takes the partitions of a month out of the books, into the schema ledger_archive, and notes what they came to. Returns
-- whether there was such a month. Refused (object_in_use) while one of its reservations is open, and for two days after
-- its end, because an id is minted before it is used.
-- The month is read through before anybody must wait. What an id of that month would add just then, which takes a clock
-- that is a month behind, is not seen here; the books' check tells.
create function ledger.detach_month(month date) returns boolean language plpgsql
security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
  first date := date_trunc('month', detach_month.month::timestamp)::date;
  reservations text := format('reservation_%s', to_char(first, 'YYYY_MM'));
  entries text := format('entry_%s', to_char(first, 'YYYY_MM'));
  still_open bigint;
begin
  perform pg_advisory_xact_lock(hashtext('weir ledger months'));
  if not exists (
    select from pg_class c where c.relname = reservations and c.relnamespace = 'ledger'::regnamespace
  ) then return false; end if;

  if ledger.clock() < (first + interval '1 month 2 days') at time zone 'UTC' then
    raise exception '% is not long over', to_char(first, 'YYYY-MM') using errcode = 'object_in_use';
  end if;
  execute format('select count(*) from ledger.%I where state = ''open''', reservations) into still_open;
  if still_open > 0 then
    raise exception '% reservations of % are open', still_open, to_char(first, 'YYYY-MM') using errcode = 'object_in_use';
  end if;

  execute format('insert into ledger.archived_month (account_id, month, entries, moved)
    select account_id, %L::date, count(*), coalesce(sum(amount) filter (where grant_id is not null), 0)
    from ledger.%I group by account_id', first, entries);
  -- A refund gives a grant only where the one it was drawn from has ended.
  execute format('insert into ledger.archived_grant (account_id, grant_id, month, moved, openings)
    select e.account_id, e.grant_id, %L::date, sum(e.amount), count(*) filter (where
      e.kind = ''grant'' or e.kind = ''adjustment'' and e.amount > 0 or e.kind = ''refund'' and e.created_at = g.created_at)
    from ledger.%I e join ledger.credit_grant g on g.id = e.grant_id group by e.account_id, e.grant_id', first, entries);
  execute format('insert into ledger.archived_spend (account_id, key_id, period, starts_at, month, spent)
    select r.account_id, r.key_id, p.period, ledger.period_start(p.period, r.created_at), %L::date, sum(r.captured)
    from ledger.%I r join (values (1, ''day''), (2, ''month''), (4, ''total'')) p(bit, period) on r.counted & p.bit <> 0
    group by 1, 2, 3, 4', first, reservations);

  -- In the order in which operations take them.
  lock table only ledger.reservation in access exclusive mode;
  lock table only ledger.entry in access exclusive mode;
  execute format('alter table ledger.reservation detach partition ledger.%I', reservations);
  execute format('alter table ledger.entry detach partition ledger.%I', entries);
  execute format('alter table ledger.%I set schema ledger_archive', reservations);
  execute format('alter table ledger.%I set schema ledger_archive', entries);
  return true;
end $$;

-- What the tables before held, in the months it belongs to.
do $$
declare
  -- An id is minted a moment before its row is made, which may have been in the month before.
  oldest timestamptz := least((select min(created_at) from ledger_before.entry),
    (select min(created_at) from ledger_before.reservation), clock_timestamp()) - interval '1 hour';
  month timestamp;
begin
  -- Of UTC, whatever the time zone of the session.
  for month in
    select generate_series(date_trunc('month', oldest at time zone 'UTC'),
      clock_timestamp() at time zone 'UTC' + interval '2 months', interval '1 month')
  loop
    perform ledger.make_month(month::date);
  end loop;
end $$;

insert into ledger.account (id, balance, held, sequence) select id, balance, held, sequence from ledger_before.account;
-- A free completion had none, and may still come to cost something, which must be booked.
insert into ledger.account (id) select account_id from ledger_before.reservation where state = 'open' on conflict do nothing;
insert into ledger.credit_grant (id, account_id, kind, priority, amount, balance, closed, created_at)
  select id, account_id, kind, 100, amount, balance, balance = 0, created_at from ledger_before.credit_grant;
insert into ledger.action (id, account_id, kind, reference, amount, grant_kind, priority, grant_id, moved, actor, created_at)
  select id, account_id, 'grant', coalesce(reference, id::text), amount, kind, 100, id, amount, 'admin', created_at
  from ledger_before.credit_grant;
insert into ledger.reservation
    (id, account_id, quote, amount, state, cost, captured, created_at, expires_at, closed_at)
  select r.id, r.account_id, r.amount, r.amount, r.state,
    case when r.state <> 'open' then r.captured + coalesce(u.amount, 0) end, r.captured, r.created_at,
    coalesce(r.closed_at, clock_timestamp() + interval '10 minutes'), r.closed_at
  from ledger_before.reservation r left join ledger_before.entry u on u.ref = r.id and u.kind = 'uncollected';
insert into ledger.entry
  select account_id, sequence, kind, ref, grant_id, case kind when 'grant' then amount else -amount end, balance_after, created_at
  from ledger_before.entry;
drop schema ledger_before cascade;
