-- What is done to accounts by operators and by time. Rare beside ledger.apply, so each operation may take its own
-- statements; locks, order and verdicts are the same.

-- Moves credits into (positive) or out of (negative) a grant: the one place that does so, ledger.apply aside. The caller
-- holds the lock of the account.
create function ledger.move(credit_grant uuid, entry_kind text, ref uuid, amount bigint, at timestamptz)
returns void language plpgsql as $$
#variable_conflict use_column
declare
  owner uuid;
  left_over bigint;
  next_sequence bigint;
begin
  update ledger.credit_grant t set balance = t.balance + move.amount, closed = t.balance + move.amount = 0
    where t.id = move.credit_grant returning t.account_id, t.balance into strict owner, left_over;
  update ledger.account t set balance = t.balance + move.amount, sequence = t.sequence + 1
    where t.id = owner returning t.sequence into strict next_sequence;
  insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
    values (owner, next_sequence, move.entry_kind, move.ref, move.credit_grant, move.amount, left_over, move.at);
end $$;

-- A new grant with all its credits.
create function ledger.open_grant(
  new_id uuid, account uuid, kind text, priority smallint, expires_at timestamptz, amount bigint,
  entry_kind text, ref uuid, at timestamptz
) returns void language plpgsql as $$
begin
  insert into ledger.credit_grant (id, account_id, kind, priority, expires_at, amount, balance, created_at)
    values (new_id, account, kind, priority, expires_at, amount, 0, at);
  perform ledger.move(new_id, entry_kind, ref, amount, at);
end $$;

-- Takes what is left of a grant that has ended, unless a reservation from before its end is open: that one may still be
-- paid from it. Returns what was taken, null when it must wait.
-- Whether one is open is known without looking for it: `held_before` is what is left of all that was held at `before_at`.
-- When that is zero, a new such count begins. So a grant is forfeited once a count that began after its end has run out.
create function ledger.forfeit(credit_grant uuid, entry_kind text, ref uuid, at timestamptz)
returns bigint language plpgsql as $$
declare
  g ledger.credit_grant;
  a ledger.account;
begin
  select * into strict g from ledger.credit_grant t where t.id = forfeit.credit_grant;
  select * into strict a from ledger.account t where t.id = g.account_id;
  if a.before_at < least(g.expires_at, g.revoked_at) and a.held_before = 0 then
    update ledger.account t set before_at = forfeit.at, held_before = t.held, last_at = forfeit.at
      where t.id = a.id returning * into a;
  end if;
  if a.before_at < least(g.expires_at, g.revoked_at) or a.held_before > 0 then return null; end if;
  if g.balance > 0 then perform ledger.move(g.id, entry_kind, ref, -g.balance, at); end if;
  return g.balance;
end $$;

-- Takes credits from what is spendable, in the order in which grants are drawn. The caller knows that they are there.
create function ledger.withdraw(account uuid, entry_kind text, ref uuid, amount bigint, at timestamptz)
returns void language plpgsql as $$
declare
  g ledger.credit_grant;
  rest bigint := amount;
begin
  for g in
    select * from ledger.credit_grant t
    where t.account_id = account and not t.closed and t.balance > 0
      and (least(t.expires_at, t.revoked_at) > at or least(t.expires_at, t.revoked_at) is null)
    order by t.priority, t.expires_at, t.kind_rank, t.id
  loop
    exit when rest = 0;
    perform ledger.move(g.id, entry_kind, ref, -least(rest, g.balance), at);
    rest := rest - least(rest, g.balance);
  end loop;
  if rest > 0 then raise exception 'account % lacks % microcredits that were said to be free', account, rest; end if;
end $$;

-- Gives back what a completion was charged, to the grants it was drawn from, the last drawn first. What came from a grant
-- that has ended goes to a new one of its kind and priority, which does not expire.
create function ledger.unwind(completion uuid, account uuid, amount bigint, skip bigint, ref uuid, at timestamptz)
returns void language plpgsql as $$
declare
  drawn record;
  rest bigint := amount;
  to_skip bigint := skip;
  part bigint;
begin
  for drawn in
    select e.grant_id, -e.amount as amount, g.kind, g.priority,
      coalesce(least(g.expires_at, g.revoked_at) <= at, false) as has_ended
    from ledger.entry e join ledger.credit_grant g on g.id = e.grant_id
    where e.ref = completion and e.kind = 'charge' order by e.sequence desc
  loop
    exit when rest = 0;
    part := least(rest, drawn.amount - least(to_skip, drawn.amount));
    to_skip := to_skip - least(to_skip, drawn.amount);
    continue when part = 0;
    if drawn.has_ended then
      perform ledger.open_grant(ledger.new_id(at), account, drawn.kind, drawn.priority, null, part, 'refund', ref, at);
    else
      perform ledger.move(drawn.grant_id, 'refund', ref, part, at);
    end if;
    rest := rest - part;
  end loop;
  if rest > 0 then raise exception 'the entries of completion % do not show % microcredits', completion, rest; end if;
end $$;

-- A UUIDv7 of the ledger's own making.
create function ledger.new_id(at timestamptz) returns uuid language sql volatile as $$
  select overlay(gen_random_uuid()::text placing left(ledger.first_id_at(at)::text, 13) || '-7' from 1 for 15)::uuid
$$;

-- Decides operations on accounts, as ledger.apply does those on completions. Each has a reference: the same one with the
-- same content, the reason included, happens once.
--
-- Input: parallel arrays, sorted by account, in order of arrival inside an account.
--   op       grant, revoke, expire, adjust, refund, freeze or unfreeze
--   action   the id under which it is noted      reference  its name
--   amount   grant, adjust: microcredits (adjust may be negative). refund: at most this much, null for all that is left
--   kind, priority, expires_at   of the grant that `grant`, or `adjust` upwards, gives
--   target   the grant to revoke or expire, or to give; the completion to refund
-- Output: verdict 0 done, 1 done before, 2 insufficient credits, 3 no such grant, completion or account,
--           4 its reference was used for something else, 8 too many open grants, 9 the grant has ended already,
--           10 has not ended yet, 11 waits for reservations from before its end, 12 more than is left to refund
--         figure  what was moved, now or the first time; on 2 and 12 what could have been
--         made    the action it stands under
create function ledger.amend(
  op text[], account uuid[], action uuid[], reference text[], amount bigint[], kind text[], priority smallint[],
  expires_at timestamptz[], target uuid[], actor text[], reason text[], max_open_grants int,
  out verdict smallint[], out figure bigint[], out made uuid[]
) language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  n int := coalesce(array_length(amend.op, 1), 0);
  at timestamptz;
  a ledger.account;
  g ledger.credit_grant;
  before ledger.action;
  completion ledger.reservation;
  said smallint;
  moved bigint;
  free bigint;
  refunded bigint;
  asked bigint;
begin
  verdict := array_fill(0::smallint, array[n]);
  figure := array_fill(0::bigint, array[n]);
  made := amend.action;
  if n = 0 then return; end if;

  insert into ledger.account (id)
    select distinct o.account from unnest(amend.op, amend.account) o(op, account)
    where o.op in ('grant', 'adjust', 'freeze') order by o.account on conflict do nothing;
  perform from ledger.account t where t.id = any(amend.account) order by t.id for update;

  for i in 1..n loop
    if i > 1 and amend.account[i] < amend.account[i - 1] then raise exception 'the batch is not sorted by account'; end if;
    select * into a from ledger.account t where t.id = amend.account[i];
    if not found then verdict[i] := 3; continue; end if;
    at := greatest(ledger.clock(), a.last_at + interval '1 microsecond');

    select * into before from ledger.action t
      where t.account_id = a.id and t.reference = amend.reference[i] and (t.kind = 'expire') = (amend.op[i] = 'expire');
    if found then
      made[i] := before.id;
      figure[i] := abs(before.moved);
      verdict[i] := case when before.kind = amend.op[i]
        and (before.kind = 'expire'
          or (before.amount, before.reason) is not distinct from (amend.amount[i], amend.reason[i]))
        and (before.kind not in ('grant', 'adjust')
          or (before.grant_kind, before.priority, before.expires_at)
            is not distinct from (amend.kind[i], amend.priority[i], amend.expires_at[i]))
        and (before.kind not in ('revoke', 'expire') or before.grant_id = amend.target[i])
        and (before.kind <> 'refund' or before.completion_id = amend.target[i]) then 1 else 4 end;
      continue;
    end if;

    said := 0;
    moved := 0;
    g := null;
    if amend.op[i] in ('revoke', 'expire') then
      select * into g from ledger.credit_grant t where t.id = amend.target[i] and t.account_id = a.id;
      if not found then said := 3; end if;
    end if;

    if said <> 0 then
      null;

    elsif amend.op[i] = 'grant' or amend.op[i] = 'adjust' and amend.amount[i] > 0 then
      if (select count(*) from ledger.credit_grant t where t.account_id = a.id and not t.closed) >= max_open_grants then
        said := 8;
      elsif amend.expires_at[i] <= at then
        said := 9;
      else
        perform ledger.open_grant(amend.target[i], a.id, amend.kind[i], amend.priority[i], amend.expires_at[i],
          amend.amount[i], case amend.op[i] when 'grant' then 'grant' else 'adjustment' end, amend.action[i], at);
        moved := amend.amount[i];
      end if;

    elsif amend.op[i] = 'adjust' then
      select greatest(coalesce(sum(t.balance), 0) - a.held, 0) into free from ledger.credit_grant t
        where t.account_id = a.id and not t.closed
          and (least(t.expires_at, t.revoked_at) > at or least(t.expires_at, t.revoked_at) is null);
      if free < -amend.amount[i] then
        said := 2;
        figure[i] := free;
      else
        perform ledger.withdraw(a.id, 'adjustment', amend.action[i], -amend.amount[i], at);
        moved := amend.amount[i];
      end if;

    elsif amend.op[i] = 'revoke' then
      if least(g.expires_at, g.revoked_at) <= at then
        said := 9;
      else
        update ledger.credit_grant t set revoked_at = at where t.id = g.id;
        -- What must wait for reservations is taken by `expire`, later.
        moved := -coalesce(ledger.forfeit(g.id, 'revocation', amend.action[i], at), 0);
        update ledger.credit_grant t set closed = t.balance = 0 where t.id = g.id;
      end if;

    elsif amend.op[i] = 'expire' then
      if g.closed then
        said := 9;
      elsif least(g.expires_at, g.revoked_at) > at or least(g.expires_at, g.revoked_at) is null then
        said := 10;
      else
        moved := -ledger.forfeit(
          g.id, case when g.revoked_at < g.expires_at or g.expires_at is null then 'revocation' else 'expiry' end,
          amend.action[i], at);
        if moved is null then said := 11; end if;
      end if;

    elsif amend.op[i] = 'refund' then
      select * into completion from ledger.reservation t where t.id = amend.target[i] and t.account_id = a.id;
      if not found then
        said := 3;
      else
        select coalesce(sum(t.moved), 0) into refunded from ledger.action t
          where t.completion_id = completion.id and t.kind = 'refund';
        asked := coalesce(amend.amount[i], completion.captured - refunded);
        if asked > completion.captured - refunded or asked = 0 then
          said := 12;
          figure[i] := completion.captured - refunded;
        else
          perform ledger.unwind(completion.id, a.id, asked, refunded, amend.action[i], at);
          moved := asked;
        end if;
      end if;

    else
      update ledger.account t set frozen = amend.op[i] = 'freeze' where t.id = a.id;
    end if;

    verdict[i] := said;
    if said = 0 then
      figure[i] := abs(moved);
      insert into ledger.action (id, account_id, kind, reference, amount, grant_kind, priority, expires_at, grant_id,
          completion_id, moved, actor, reason, created_at)
        values (amend.action[i], a.id, amend.op[i], amend.reference[i], amend.amount[i], amend.kind[i], amend.priority[i],
          amend.expires_at[i], case when amend.op[i] in ('grant', 'revoke', 'expire') or moved > 0 and amend.op[i] = 'adjust'
            then amend.target[i] end,
          case amend.op[i] when 'refund' then amend.target[i] end, moved, amend.actor[i], amend.reason[i], at);
      update ledger.account t set version = t.version + 1, last_at = at where t.id = a.id;
    end if;
  end loop;
end $$;

-- The account's answer to a request that costs more than there is.
create function ledger.set_shortage(account uuid, shortage text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ledger.account as t (id, shortage) values (account, set_shortage.shortage)
    on conflict on constraint account_pkey do update set shortage = excluded.shortage
$$;

-- What a key may spend in a period; null takes the limit away. It counts what is reserved from then on.
create function ledger.set_key_limit(account uuid, key uuid, period text, amount bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
  insert into ledger.account (id) values (account) on conflict do nothing;
  perform from ledger.account t where t.id = account for update;
  if amount is null then
    delete from ledger.key_limit t where t.account_id = account and t.key_id = key and t.period = set_key_limit.period;
  else
    insert into ledger.key_limit as t (account_id, key_id, period, amount, created_at)
      values (account, key, period, amount, ledger.clock())
      on conflict on constraint key_limit_pkey do update set amount = excluded.amount;
  end if;
end $$;

-- Notes the prices of a deployment's catalogue. A price that is the one this catalogue said last changes nothing, so that
-- a restart does not undo what an operator has set meanwhile.
create function ledger.register_prices(id uuid[], model text[], price jsonb[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('weir ledger prices'));
  insert into ledger.price_version (id, model, effective_at, price, source)
    select o.id, o.model, ledger.clock(), o.price, 'catalogue'
    from unnest(register_prices.id, register_prices.model, register_prices.price) o(id, model, price)
    where o.price is distinct from (
      select t.price from ledger.price_version t where t.model = o.model and t.source = 'catalogue'
      order by t.effective_at desc, t.id desc limit 1);
end $$;
