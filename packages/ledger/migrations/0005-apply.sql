-- Decides a batch of operations on completions and writes what follows from them: one transaction for all who asked.
--
-- Input: parallel arrays, sorted by account, in order of arrival inside an account, no completion twice.
--   op 1 reserve: amount = quote, least_amount = what an answer clamped to the balance must at least be able to cost
--      2 settle: amount = cost    3 release    4 expire
--      5 extend: amount = what shall be set aside altogether, or less to leave it as it is
--   key, price: of a reserve. lease: until when a reserved or extended one is expected to end.
-- Output: parallel arrays.
--   verdict 0 done, 1 done before, 2 insufficient credits, 3 no such reservation, 4 reserved before with another quote or
--           account, 5 the key's limit is exceeded, 6 the account is frozen, 7 ended already (extend)
--   figure  reserve, extend: what is set aside, or on 2 and 5 what would have been available; else what was charged,
--           now or the first time
--   other   on 2: what open reservations hold; on 5: which limit (1 day, 2 month, 3 total); else what was not collected
--   version of the first operation on each account: how many batches had changed it before this one
--   decided_at  the time it counts as done
--
-- Locking comes first and reading second, as separate statements: each statement of a volatile function sees what was
-- committed before it began, so what is read under the lock is current. (A single CTE that locks and reads in one
-- statement reads the state from before the wait, and charges twice.) The locking statement itself gives the rows it
-- locked as they then are, and only those may be decided on: an account that appears a moment later is not locked.
--
-- Plans are made once for a connection and kept: making them costs more than a small batch. So they must do whatever comes,
-- though they may have been made when the tables were empty and reading all of one was cheapest. Therefore nothing is
-- joined that could be joined in another way than meant: reservations are looked up one by one (`offset 0` keeps it so; an
-- index can serve `= any(array[…])`, a join cannot), and what the account's lock keeps in its place is found by that
-- place, its `ctid`.
--
-- A reservation sets no particular grant aside, it counts against the account: new ones need what unexpired grants hold
-- beyond all that is reserved. It may be paid from every grant that had not ended when it was made. So what the youngest
-- open one may draw always covers all open ones, and the older ones may draw from more: a settlement within its
-- reservation finds its credits, whatever ends meanwhile.
create function ledger.apply(
  op smallint[], account uuid[], id uuid[], amount bigint[], least_amount bigint[], key uuid[], price uuid[],
  lease interval,
  out verdict smallint[], out figure bigint[], out other bigint[], out version bigint[], out decided_at timestamptz[]
) language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  n int := coalesce(array_length(apply.op, 1), 0);
  clock timestamptz;
  -- the accounts, by id
  a_id uuid[]; a_place tid[]; a_balance bigint[]; a_held bigint[]; a_held_before bigint[]; a_before_at timestamptz[];
  a_sequence bigint[]; a_version bigint[]; a_frozen boolean[]; a_clamps boolean[]; a_at timestamptz[];
  -- their open grants, in the order they are drawn
  g_place tid[]; g_id uuid[]; g_account uuid[]; g_before bigint[]; g_balance bigint[]; g_ends timestamptz[];
  -- the reservations of the batch, by position
  r_account uuid[]; r_key uuid[]; r_quote bigint[]; r_amount bigint[]; r_counted smallint[]; r_state text[];
  r_cost bigint[]; r_captured bigint[]; r_created timestamptz[];
  -- the budgets they count against, if any, and which operation (l_op, ascending) counts against which of them (l_budget)
  limited boolean := false;
  b_account uuid[]; b_key uuid[]; b_period int[]; b_starts timestamptz[]; b_most bigint[]; b_held bigint[];
  b_spent bigint[]; b_changed boolean[]; l_op int[]; l_budget int[]; counted smallint[];
  -- what is written at the end: operations that reserved, ended and extended, accounts that changed, entries by operation
  new_op int[] := '{}'; end_op int[] := '{}'; ext_op int[] := '{}'; changed_a int[] := '{}'; written int;
  stranger uuid[] := '{}';
  e_op int[] := '{}'; e_sequence bigint[] := '{}'; e_grant uuid[] := '{}'; e_amount bigint[] := '{}'; e_after bigint[] := '{}';
  -- of the account at hand: its row (a), its first grant (g) and the one after its last (g_next)
  who uuid; known boolean; changed boolean := false; a int := 0; g int; g_next int := 1;
  at timestamptz; held bigint; spendable bigint; sequence bigint; frozen boolean; clamps boolean;
  simple boolean;
  -- of the operation at hand
  code smallint; l int := 1; k int; b int; available bigint; room bigint; tight int; counts int;
  needed bigint; granted bigint; cost bigint; charge bigint; rest bigint; part bigint;
begin
  verdict := array_fill(0::smallint, array[n]);
  figure := array_fill(0::bigint, array[n]);
  other := array_fill(0::bigint, array[n]);
  version := array_fill(0::bigint, array[n]);
  if n = 0 then return; end if;

  select array_agg(t.id), array_agg(t.ctid), array_agg(t.balance), array_agg(t.held), array_agg(t.held_before),
         array_agg(t.before_at), array_agg(t.sequence), array_agg(t.version), array_agg(t.frozen),
         array_agg(t.shortage = 'clamp'), array_agg(t.last_at + interval '1 microsecond')
    into a_id, a_place, a_balance, a_held, a_held_before, a_before_at, a_sequence, a_version, a_frozen, a_clamps, a_at
    from (select c.ctid, * from ledger.account c where c.id = any(apply.account) order by c.id for update) t;
  clock := ledger.clock();
  decided_at := array_fill(clock, array[n]);

  select array_agg(t.ctid), array_agg(t.id), array_agg(t.account_id), array_agg(t.balance),
         array_agg(coalesce(least(t.expires_at, t.revoked_at), 'infinity'))
    into g_place, g_id, g_account, g_before, g_ends
    from (select c.ctid, * from ledger.credit_grant c where c.account_id = any(apply.account) and not c.closed
          order by c.account_id, c.priority, c.expires_at, c.kind_rank, c.id) t;
  g_balance := g_before;

  select array_agg(t.account_id order by o.i), array_agg(t.key_id order by o.i), array_agg(t.quote order by o.i),
         array_agg(t.amount order by o.i), array_agg(t.counted order by o.i), array_agg(t.state order by o.i),
         array_agg(t.cost order by o.i), array_agg(t.captured order by o.i), array_agg(t.created_at order by o.i)
    into r_account, r_key, r_quote, r_amount, r_counted, r_state, r_cost, r_captured, r_created
    from unnest(apply.id) with ordinality o(id, i)
    left join lateral (select * from ledger.reservation r where r.id = o.id offset 0) t on true;

  if exists (select from ledger.key_limit m where m.account_id = any(apply.account)) or 0 < any(r_counted) then
    with wanted as (
      select o.i, o.account, m.key_id, p.code, m.period, ledger.period_start(m.period, greatest(clock, c.at)) as starts_at
        from unnest(apply.op, apply.account, apply.key, r_state) with ordinality o(op, account, key, state, i)
        join unnest(a_id, a_at) c(id, at) on c.id = o.account
        join ledger.key_limit m on m.account_id = o.account and m.key_id = o.key
        join (values (1, 'day'), (2, 'month'), (4, 'total')) p(code, period) on p.period = m.period
        where o.op = 1 and o.state is null
      union all
      select o.i, o.account, o.key, p.code, p.period, ledger.period_start(p.period, o.created)
        from unnest(apply.op, r_account, r_key, r_counted, r_created) with ordinality o(op, account, key, counted, created, i)
        join (values (1, 'day'), (2, 'month'), (4, 'total')) p(code, period) on o.counted & p.code <> 0
        where o.op <> 1
    ), numbered as (
      select w.*, dense_rank() over (order by w.account, w.key_id, w.code, w.starts_at) as b from wanted w
    ), budget as (
      select distinct on (w.b) w.*, m.amount as most, coalesce(s.held, 0) as held, coalesce(s.spent, 0) as spent
        from numbered w
        left join ledger.key_limit m on m.account_id = w.account and m.key_id = w.key_id and m.period = w.period
        left join ledger.key_spend s on s.account_id = w.account and s.key_id = w.key_id and s.period = w.period
          and s.starts_at = w.starts_at
        order by w.b
    )
    select array_agg(t.account order by t.b), array_agg(t.key_id order by t.b), array_agg(t.code order by t.b),
           array_agg(t.starts_at order by t.b), array_agg(t.most order by t.b), array_agg(t.held order by t.b),
           array_agg(t.spent order by t.b), array_agg(false),
           (select array_agg(w.i order by w.i, w.b) from numbered w), (select array_agg(w.b order by w.i, w.b) from numbered w)
      into b_account, b_key, b_period, b_starts, b_most, b_held, b_spent, b_changed, l_op, l_budget
      from budget t;
    limited := l_op is not null;
    counted := array_fill(0::smallint, array[n]);
  end if;

  -- One step more than there are operations, which ends the last account.
  for i in 1..n + 1 loop
    if who is distinct from apply.account[i] then
      if changed then
        changed_a := changed_a || a;
        a_held[a] := held;
        for k in g..g_next - 1 loop a_balance[a] := a_balance[a] - g_before[k] + g_balance[k]; end loop;
        a_sequence[a] := sequence;
        changed := false;
      end if;
      exit when i > n;
      if apply.account[i] < who then raise exception 'the batch is not sorted by account'; end if;
      who := apply.account[i];
      at := clock;
      held := 0;
      spendable := 0;
      frozen := false;
      clamps := false;
      g := g_next;
      while g_account[g] < who loop g := g + 1; end loop;
      known := coalesce(a_id[a + 1] = who, false);
      if known then
        a := a + 1;
        at := greatest(clock, a_at[a]);
        held := a_held[a];
        sequence := a_sequence[a];
        frozen := a_frozen[a];
        clamps := a_clamps[a];
        k := g;
        while g_account[k] = who loop
          if g_ends[k] > at then spendable := spendable + g_balance[k]; end if;
          k := k + 1;
        end loop;
        g_next := k;
        version[i] := a_version[a];
        if at > clock then
          for k in i..n loop
            exit when apply.account[k] <> who;
            decided_at[k] := at;
          end loop;
        end if;
      end if;
      simple := known and not frozen and not limited;
    end if;
    if limited then
      -- Where this operation's budgets begin.
      while l_op[l] < i loop l := l + 1; end loop;
    end if;
    code := apply.op[i];

    if simple and code = 1 and r_state[i] is null and spendable - held >= apply.amount[i] then
      -- What nearly everybody asks for and gets, in few steps. It is what the next branch would come to.
      held := held + apply.amount[i];
      figure[i] := apply.amount[i];
      new_op := new_op || i;
      changed := true;

    elsif code = 1 and r_state[i] is null or code = 5 and r_state[i] = 'open' and r_account[i] = who then
      -- What more is needed than is set aside already, and the least of it that will do.
      needed := case code when 1 then apply.amount[i] else greatest(apply.amount[i] - r_amount[i], 0) end;
      granted := case when code = 1 and clamps then least(apply.least_amount[i], needed) else needed end;
      available := greatest(spendable - held, 0);
      room := needed;
      if limited then
        tight := 0;
        counts := 0;
        k := l;
        while l_op[k] = i loop
          b := l_budget[k];
          counts := counts + b_period[b];
          -- Null where the limit was taken away meanwhile.
          part := b_most[b] - b_held[b] - b_spent[b];
          if part < room and room > 0 then room := greatest(part, 0); tight := b_period[b]; end if;
          k := k + 1;
        end loop;
      end if;
      if frozen and (needed > 0 or code = 1) then
        verdict[i] := 6;
      elsif available < granted then
        verdict[i] := 2;
        figure[i] := available;
        other[i] := held;
      elsif room < granted then
        verdict[i] := 5;
        figure[i] := room;
        other[i] := case tight when 4 then 3 else tight end;
      else
        granted := least(needed, available, room);
        held := held + granted;
        changed := known;
        if code = 1 then
          figure[i] := granted;
          new_op := new_op || i;
          -- A free completion may come to cost something, which must be booked: so its account gets a row.
          if not known then stranger := stranger || who; end if;
        else
          figure[i] := r_amount[i] + granted;
          ext_op := ext_op || i;
          if known and r_created[i] < a_before_at[a] then a_held_before[a] := a_held_before[a] + granted; end if;
        end if;
        if limited then
          if code = 1 then counted[i] := counts; end if;
          for k in l..l + 2 loop
            exit when l_op[k] is distinct from i;
            b := l_budget[k];
            b_held[b] := b_held[b] + granted;
            b_changed[b] := true;
          end loop;
        end if;
      end if;

    elsif code in (2, 3, 4) and r_state[i] = 'open' and r_account[i] = who then
      cost := case code when 2 then apply.amount[i] else 0 end;
      charge := 0;
      if known then
        changed := true;
        held := held - r_amount[i];
        if r_created[i] < a_before_at[a] then a_held_before[a] := a_held_before[a] - r_amount[i]; end if;
        -- Within its reservation the credits are there.
        charge := least(cost, r_amount[i]);
        if cost > charge then
          -- Above it, only what is free once that is paid. What ended grants pay of it, nobody else could have had.
          available := spendable - held;
          rest := charge;
          k := g;
          while rest > 0 and g_account[k] = who loop
            if g_ends[k] > r_created[i] then
              part := least(rest, g_balance[k]);
              if g_ends[k] > at then available := available - part; end if;
              rest := rest - part;
            end if;
            k := k + 1;
          end loop;
          room := least(cost - charge, available);
          if limited then
            -- Nor past what its key may spend beside it.
            for k in l..l + 2 loop
              exit when l_op[k] is distinct from i;
              b := l_budget[k];
              room := least(room, b_most[b] - b_held[b] + r_amount[i] - b_spent[b] - charge);
            end loop;
          end if;
          charge := charge + greatest(room, 0);
        end if;
        rest := charge;
        k := g;
        while rest > 0 and g_account[k] = who loop
          if g_balance[k] > 0 and g_ends[k] > r_created[i] then
            part := least(rest, g_balance[k]);
            rest := rest - part;
            g_balance[k] := g_balance[k] - part;
            if g_ends[k] > at then spendable := spendable - part; end if;
            sequence := sequence + 1;
            e_op := e_op || i; e_sequence := e_sequence || sequence; e_grant := e_grant || g_id[k];
            e_amount := e_amount || -part; e_after := e_after || g_balance[k];
          end if;
          k := k + 1;
        end loop;
        if rest > 0 then raise exception 'account % has reserved % microcredits that no grant holds', who, rest; end if;
      end if;
      figure[i] := charge;
      end_op := end_op || i;
      if cost > charge then
        other[i] := cost - charge;
        if known then
          sequence := sequence + 1;
          e_op := e_op || i; e_sequence := e_sequence || sequence; e_grant := e_grant || null::uuid;
          e_amount := e_amount || (charge - cost); e_after := e_after || null::bigint;
        end if;
      end if;
      if limited then
        for k in l..l + 2 loop
          exit when l_op[k] is distinct from i;
          b := l_budget[k];
          b_held[b] := b_held[b] - r_amount[i];
          b_spent[b] := b_spent[b] + charge;
          b_changed[b] := true;
        end loop;
      end if;

    elsif code = 1 then
      verdict[i] := case when r_account[i] = who and r_quote[i] = apply.amount[i] then 1 else 4 end;
      figure[i] := r_amount[i];

    elsif r_state[i] is null or r_account[i] <> who then
      verdict[i] := 3;

    elsif code = 5 then
      verdict[i] := 7;

    else
      verdict[i] := 1;
      figure[i] := r_captured[i];
      other[i] := r_cost[i] - r_captured[i];
    end if;
  end loop;

  if stranger <> '{}' then
    insert into ledger.account (id) select distinct o from unnest(stranger) o order by o on conflict do nothing;
  end if;
  if new_op <> '{}' then
    insert into ledger.reservation (id, account_id, key_id, price_id, quote, amount, counted, created_at, expires_at)
      select apply.id[i], apply.account[i], apply.key[i], apply.price[i], apply.amount[i], figure[i],
        coalesce(counted[i], 0), decided_at[i], decided_at[i] + lease
      from unnest(new_op) i;
  end if;
  if end_op <> '{}' then
    update ledger.reservation t
      set state = case apply.op[i] when 2 then 'settled' when 3 then 'released' else 'expired' end,
        cost = figure[i] + other[i], captured = figure[i], closed_at = decided_at[i]
      from unnest(end_op) i where t.id = any(array[apply.id[i]]);
    -- Both would have been decided on the reservation as it was before: charged twice.
    get diagnostics written = row_count;
    if written <> array_length(end_op, 1) then raise exception 'the batch ends a reservation twice'; end if;
  end if;
  if ext_op <> '{}' then
    update ledger.reservation t set amount = figure[i], expires_at = greatest(t.expires_at, decided_at[i] + lease)
      from unnest(ext_op) i where t.id = any(array[apply.id[i]]);
    get diagnostics written = row_count;
    if written <> array_length(ext_op, 1) then raise exception 'the batch extends a reservation twice'; end if;
  end if;
  if e_op <> '{}' then
    insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
      select apply.account[o.i], o.sequence, case when o.from_grant is null then 'uncollected' else 'charge' end,
        apply.id[o.i], o.from_grant, o.amount, o.after, decided_at[o.i]
      from unnest(e_op, e_sequence, e_grant, e_amount, e_after) o(i, sequence, from_grant, amount, after);
    update ledger.credit_grant t set balance = o.balance, closed = o.balance = 0
      from unnest(g_place, g_before, g_balance) o(place, before, balance)
      where t.ctid = o.place and o.balance <> o.before;
  end if;
  if true = any(b_changed) then
    insert into ledger.key_spend as t (account_id, key_id, period, starts_at, held, spent)
      select o.account, o.key, case o.period when 1 then 'day' when 2 then 'month' else 'total' end, o.starts_at, o.held, o.spent
      from unnest(b_account, b_key, b_period, b_starts, b_held, b_spent, b_changed)
        o(account, key, period, starts_at, held, spent, changed) where o.changed
      on conflict on constraint key_spend_pkey do update set held = excluded.held, spent = excluded.spent;
  end if;
  if changed_a <> '{}' then
    update ledger.account t
      set balance = a_balance[a], held = a_held[a], held_before = a_held_before[a], sequence = a_sequence[a],
        version = a_version[a] + 1, last_at = greatest(clock, a_at[a])
      from unnest(changed_a) a where t.ctid = a_place[a];
    get diagnostics written = row_count;
    if written <> array_length(changed_a, 1) then raise exception 'an account is not where it was locked'; end if;
  end if;
end $$;
