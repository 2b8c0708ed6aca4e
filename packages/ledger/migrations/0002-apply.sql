-- Decides a batch of operations and writes what follows from them: one transaction for everybody who asked meanwhile.
--
-- Input: parallel arrays, sorted by account, in order of arrival inside an account, no completion twice.
--   op 1 reserve (amount = quote), 2 settle (amount = cost), 3 release (amount = 0)
-- Output: parallel arrays.
--   verdict 0 done, 1 done before (reserved with the same amount; already ended),
--           2 insufficient credits, 3 no such reservation, 4 reserved before with another amount or account
--   figure  reserve: what is available (after a reservation, or when there is too little); settle: what was charged,
--           now or the first time
--   other   reserve: what open reservations hold; settle: what could not be collected
--
-- Locking comes first and reading second, as separate statements: each statement of a volatile function sees what was
-- committed before it began, so what is read under the lock is current. (A single CTE that locks and reads in one
-- statement reads the state from before the wait, and charges twice.) The locking statement itself gives the rows it
-- locked as they then are, and only those may be decided on: an account that appears a moment later is not locked.
-- Plans are pinned: on empty statistics hash joins would read whole tables.
create function ledger.apply(
  op smallint[], account uuid[], id uuid[], amount bigint[],
  out verdict smallint[], out figure bigint[], out other bigint[]
) language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  n int := coalesce(array_length(apply.op, 1), 0);
  at timestamptz;
  -- the reservations of the batch, by position
  r_account uuid[]; r_amount bigint[]; r_captured bigint[]; r_state text[];
  -- the accounts, by id, and their open grants in the order they are drawn
  a_id uuid[]; a_balance bigint[]; a_held bigint[]; a_sequence bigint[]; a int := 1;
  g_id uuid[]; g_account uuid[]; g_balance bigint[]; g_drawn boolean[]; g int := 1; k int;
  -- what is written at the end
  new_id uuid[] := '{}'; new_account uuid[] := '{}'; new_amount bigint[] := '{}';
  end_id uuid[] := '{}'; end_captured bigint[] := '{}'; end_state text[] := '{}';
  e_account uuid[] := '{}'; e_sequence bigint[] := '{}'; e_kind text[] := '{}'; e_ref uuid[] := '{}';
  e_grant uuid[] := '{}'; e_amount bigint[] := '{}'; e_after bigint[] := '{}';
  known boolean; charge bigint; rest bigint; part bigint; ended bigint;
begin
  verdict := array_fill(0::smallint, array[n]);
  figure := array_fill(0::bigint, array[n]);
  other := array_fill(0::bigint, array[n]);
  if n = 0 then return; end if;

  select array_agg(t.id order by t.id), array_agg(t.balance order by t.id),
         array_agg(t.held order by t.id), array_agg(t.sequence order by t.id)
    into a_id, a_balance, a_held, a_sequence
    from (select * from ledger.account c where c.id = any(apply.account) order by c.id for update) t;
  at := clock_timestamp();

  select array_agg(t.account_id order by o.i), array_agg(t.amount order by o.i),
         array_agg(t.captured order by o.i), array_agg(t.state order by o.i)
    into r_account, r_amount, r_captured, r_state
    from unnest(apply.id) with ordinality o(id, i) left join ledger.reservation t on t.id = o.id;

  if 2 = any(apply.op) then
    select array_agg(t.id), array_agg(t.account_id), array_agg(t.balance), array_agg(false)
      into g_id, g_account, g_balance, g_drawn
      from (select * from ledger.credit_grant c where c.account_id = any(apply.account) and c.balance > 0
            order by c.account_id, array_position('{promotional,subscription,purchased}', c.kind), c.id) t;
  end if;

  for i in 1..n loop
    if i > 1 and apply.account[i] < apply.account[i - 1] then
      raise exception 'the batch is not sorted by account';
    end if;
    while a_id[a] < apply.account[i] loop a := a + 1; end loop;
    while g_account[g] < apply.account[i] loop g := g + 1; end loop;
    known := coalesce(a_id[a] = apply.account[i], false);

    if apply.op[i] = 1 then
      if r_state[i] is not null then
        verdict[i] := case when r_account[i] = apply.account[i] and r_amount[i] = apply.amount[i] then 1 else 4 end;
      elsif not known or a_balance[a] - a_held[a] < apply.amount[i] then
        verdict[i] := case when apply.amount[i] = 0 then 0 else 2 end;
      else
        a_held[a] := a_held[a] + apply.amount[i];
      end if;
      if verdict[i] = 0 then
        new_id := new_id || apply.id[i]; new_account := new_account || apply.account[i]; new_amount := new_amount || apply.amount[i];
      end if;
      if known then
        figure[i] := a_balance[a] - a_held[a];
        other[i] := a_held[a];
      end if;

    elsif r_state[i] is null or r_account[i] <> apply.account[i] then
      verdict[i] := 3;

    elsif r_state[i] <> 'open' then
      verdict[i] := 1;
      figure[i] := r_captured[i];

    else
      charge := 0;
      if known then
        a_held[a] := a_held[a] - r_amount[i];
        -- Within its reservation the money is there; above it, only what no other reservation holds may be taken.
        charge := least(apply.amount[i], a_balance[a] - a_held[a]);
        rest := charge;
        k := g;
        while rest > 0 and g_account[k] = apply.account[i] loop
          part := least(rest, g_balance[k]);
          if part > 0 then
            g_balance[k] := g_balance[k] - part;
            g_drawn[k] := true;
            a_sequence[a] := a_sequence[a] + 1;
            e_account := e_account || apply.account[i]; e_sequence := e_sequence || a_sequence[a];
            e_kind := e_kind || 'charge'::text; e_ref := e_ref || apply.id[i]; e_grant := e_grant || g_id[k];
            e_amount := e_amount || part; e_after := e_after || g_balance[k];
            rest := rest - part;
          end if;
          k := k + 1;
        end loop;
        if rest > 0 then
          raise exception 'account % has % microcredits that no grant holds', apply.account[i], rest;
        end if;
        a_balance[a] := a_balance[a] - charge;
        if apply.amount[i] > charge then
          a_sequence[a] := a_sequence[a] + 1;
          e_account := e_account || apply.account[i]; e_sequence := e_sequence || a_sequence[a];
          e_kind := e_kind || 'uncollected'::text; e_ref := e_ref || apply.id[i]; e_grant := e_grant || null::uuid;
          e_amount := e_amount || (apply.amount[i] - charge); e_after := e_after || null::bigint;
        end if;
      end if;
      figure[i] := charge;
      other[i] := apply.amount[i] - charge;
      end_id := end_id || apply.id[i]; end_captured := end_captured || charge;
      end_state := end_state || case apply.op[i] when 2 then 'settled' else 'released' end;
    end if;
  end loop;

  if new_id <> '{}' then
    insert into ledger.reservation (id, account_id, amount, created_at)
      select o.id, o.account, o.amount, at from unnest(new_id, new_account, new_amount) o(id, account, amount);
  end if;
  if end_id <> '{}' then
    update ledger.reservation t set state = o.state, captured = o.captured, closed_at = at
      from unnest(end_id, end_captured, end_state) o(id, captured, state) where t.id = o.id;
    -- Both would have been decided on the reservation as it was before: charged twice.
    get diagnostics ended = row_count;
    if ended <> array_length(end_id, 1) then raise exception 'the batch ends a reservation twice'; end if;
  end if;
  if e_ref <> '{}' then
    insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
      select o.*, at from unnest(e_account, e_sequence, e_kind, e_ref, e_grant, e_amount, e_after) o;
    update ledger.credit_grant t set balance = o.balance
      from unnest(g_id, g_balance, g_drawn) o(id, balance, drawn) where t.id = o.id and o.drawn;
  end if;
  if new_id <> '{}' or end_id <> '{}' then
    update ledger.account t set balance = o.balance, held = o.held, sequence = o.sequence
      from unnest(a_id, a_balance, a_held, a_sequence) o(id, balance, held, sequence)
      where t.id = o.id and (t.balance, t.held, t.sequence) is distinct from (o.balance, o.held, o.sequence);
  end if;
end $$;

-- Gives credits, once per reference. Returns the grant that stands, and whether it stood before.
create function ledger.give(
  account uuid, grant_id uuid, kind text, amount bigint, reference text,
  out given uuid, out repeated boolean
) language plpgsql as $$
#variable_conflict use_column
declare
  at timestamptz;
  next_sequence bigint;
begin
  insert into ledger.account (id) values (give.account) on conflict do nothing;
  perform from ledger.account t where t.id = give.account for update;
  at := clock_timestamp();

  select t.id into given from ledger.credit_grant t
    where t.account_id = give.account and t.reference = give.reference;
  repeated := found;
  if repeated then return; end if;

  given := give.grant_id;
  insert into ledger.credit_grant (id, account_id, kind, amount, balance, reference, created_at)
    values (give.grant_id, give.account, give.kind, give.amount, give.amount, give.reference, at);
  update ledger.account t set balance = t.balance + give.amount, sequence = t.sequence + 1
    where t.id = give.account returning t.sequence into next_sequence;
  insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
    values (give.account, next_sequence, 'grant', give.grant_id, give.grant_id, give.amount, give.amount, at);
end $$;
