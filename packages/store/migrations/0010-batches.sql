-- Many requests handed over at once: a batch, and an item for each of its lines.
create table store.batch (
  id uuid primary key,
  account_id uuid not null,
  key_id uuid not null,
  -- The API in which it was made, whose words its results speak.
  dialect text not null,
  -- What each of its lines asks for, such as /v1/chat/completions.
  endpoint text not null,
  input_file_id uuid not null,
  metadata jsonb,
  webhook_url text,
  -- The first request with a key makes the batch that all others with it are given; the digest tells whether they ask the same.
  idempotency_key text,
  request_digest bytea,
  -- Lines that its input has, where that is known before it is validated.
  expected int,
  -- Only validated and estimated.
  dry_run boolean not null,
  -- Microcredits that it may cost at most; null where its owner set no bound.
  max_cost bigint,
  -- Times that a line is tried.
  max_tries smallint not null,
  -- How long its results are kept once it has ended, in milliseconds.
  results_kept_ms bigint not null,

  state text not null default 'validating',
  -- How it will have ended once all of its lines have: of those that are finalizing or on their way there.
  ends_as text,
  -- Why it is not fed at the moment, and since when; it goes on by itself.
  paused_for text,
  paused_at timestamptz,
  -- Not fed before this; of one that nobody feeds, how long its validator or finalizer has it.
  held_until timestamptz not null default '-infinity',
  -- What is wrong with its input: a list of code, message, param and line.
  errors jsonb,
  -- Microcredits that its lines can cost at most together; known once it is validated.
  quote bigint,

  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  in_progress_at timestamptz,
  finalizing_at timestamptz,
  cancelling_at timestamptz,
  ended_at timestamptz,

  -- Lines, by state of their items. Together they are `total`.
  total int not null default 0,
  pending int not null default 0,
  running int not null default 0,
  completed int not null default 0,
  failed int not null default 0,
  cancelled int not null default 0,
  expired int not null default 0,
  -- Microcredits: what its running items have reserved, and what those that ended were charged.
  reserved bigint not null default 0,
  charged bigint not null default 0,
  input_tokens bigint not null default 0,
  cached_input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,

  output_file_id uuid,
  error_file_id uuid,
  deleted_at timestamptz,

  constraint batch_state_known check (state in (
    'validating', 'in_progress', 'cancelling', 'finalizing', 'completed', 'failed', 'expired', 'cancelled')),
  constraint batch_counts_lines check (
    total = pending + running + completed + failed + cancelled + expired
    and least(pending, running, completed, failed, cancelled, expired) >= 0),
  constraint batch_ended_or_not check ((state in ('completed', 'failed', 'expired', 'cancelled')) = (ended_at is not null)),
  constraint batch_ends_without_open_lines check (state not in ('finalizing', 'completed', 'expired', 'cancelled') or pending + running = 0),
  constraint batch_reserves_for_what_runs check (running > 0 or reserved = 0),
  constraint batch_pauses_for_something check ((paused_for is null) = (paused_at is null))
) with (fillfactor = 50);
create index batch_of_account on store.batch (account_id, id);
create unique index batch_idempotency_key on store.batch (account_id, idempotency_key) where idempotency_key is not null;
create index batch_open on store.batch (id) where ended_at is null;

create table store.batch_item (
  batch_id uuid not null,
  -- Of the input, from 1.
  line int not null,
  custom_id text not null,
  -- Where the line lies in the input file.
  start_byte bigint not null,
  bytes int not null,
  -- pending → claimed (by a feeder, to be admitted) → running → one of the four ends; a retry goes back to pending.
  state text not null default 'pending',
  -- Of those that wait, not before this; of those that are claimed, how long their feeder has them.
  ready_at timestamptz not null default '-infinity',
  tries smallint not null default 0,
  -- Its latest try. Each is a completion of its own, which reserves and settles by its own id.
  completion_id uuid,
  -- Microcredits that this try has reserved.
  reserved bigint not null default 0,
  charged bigint not null default 0,
  ended_at timestamptz,
  -- Why a line ended that no completion did, or why its last try failed while it waits for the next: code, message and param.
  error jsonb,
  primary key (batch_id, line),
  constraint batch_item_custom_id_unique unique (batch_id, custom_id),
  constraint batch_item_state_known check (state in (
    'pending', 'claimed', 'running', 'completed', 'failed', 'cancelled', 'expired')),
  constraint batch_item_ended_or_not check ((state in ('pending', 'claimed', 'running')) = (ended_at is null)),
  constraint batch_item_runs_as_completion check (state not in ('claimed', 'running') or completion_id is not null)
) with (fillfactor = 70);
create index batch_item_pending on store.batch_item (batch_id, ready_at, line) where state = 'pending';
create index batch_item_claimed on store.batch_item (ready_at) where state = 'claimed';
create index batch_item_running on store.batch_item (batch_id) where state = 'running';
create index batch_item_completion on store.batch_item (completion_id) where completion_id is not null;

-- Everybody who changes items locks their batches first, in the order of their ids, and accounts before those.
create function store.lock_batches(id uuid[]) returns void language plpgsql as $$
begin
  perform from store.batch b where b.id = any(lock_batches.id) order by b.id for no key update;
end $$;

-- Items that are changed are found by where they lie: their batches are locked, so they lie there still. By its key an item
-- would be found through whichever index the planner takes to be as good, and of a batch that was just written, of which it
-- knows nothing yet, that is one that leads through all of it.

-- Takes up to `room` items of each batch whose time has come, as long as they have no more than `most_bytes`, and up to `most` that a feeder claimed and did not feed: those
-- keep their completion, which may have been admitted. A claim ends by itself after `lease`.
create function store.claim_items(batch uuid[], room int[], most int, most_bytes bigint, lease interval)
returns table (batch_id uuid, line int, completion_id uuid, start_byte bigint, bytes int, tries smallint) language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform store.lock_batches($1);
  return query
    with chosen as (
      select i.at, sum(i.bytes) over (order by i.place, o.batch, i.line) - i.bytes as bytes_before
      from unnest($1, $2) o(batch, room),
        lateral (
          select i.at, i.line, i.bytes, row_number() over () as place from (
          select i.ctid as at, i.line, i.bytes from store.batch_item i
          where i.batch_id = o.batch and i.state = 'pending' and i.ready_at <= clock_timestamp()
          order by i.ready_at, i.line limit o.room for update skip locked) i) i
    ), taken as (
      update store.batch_item t
      set state = 'claimed', completion_id = uuidv7(), tries = t.tries + 1, ready_at = clock_timestamp() + $5
      from chosen c where t.ctid = c.at and c.bytes_before < $4
      returning t.*
    ), counted as (
      update store.batch b set pending = b.pending - n.items, running = b.running + n.items
      from (select t.batch_id, count(*)::int as items from taken t group by 1) n where b.id = n.batch_id
    ), lapsed as (
      update store.batch_item t set ready_at = clock_timestamp() + $5
      where t.ctid = any(array(
        select i.ctid from store.batch_item i
        where i.state = 'claimed' and i.ready_at < clock_timestamp() order by i.ready_at limit $3 for update skip locked))
      returning t.*
    )
    select a.batch_id, a.line, a.completion_id, a.start_byte, a.bytes, a.tries
    from (select * from taken union all select * from lapsed) a order by 1, 2;
end $$;

-- In the statement that admits them: claimed items run from now on.
create function store.run_items(accepted boolean[], completion uuid[], reserved bigint[]) returns void language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform store.lock_batches(array(
    select i.batch_id from store.batch_item i join unnest($1, $2) o(accepted, id) on i.completion_id = o.id where o.accepted));
  with running as (
    update store.batch_item t set state = 'running', reserved = o.reserved, ready_at = '-infinity'
    from unnest($1, $2, $3) o(accepted, id, reserved)
    where t.completion_id = o.id and o.accepted and t.state = 'claimed'
    returning t.batch_id, t.reserved
  )
  update store.batch b set reserved = b.reserved + n.reserved, paused_for = null, paused_at = null
  from (select r.batch_id, sum(r.reserved) as reserved from running r group by 1) n where b.id = n.batch_id;
end $$;

-- In the statement that settles their completions: items end with them, or wait for their next try.
create function store.end_items(
  completion uuid[], state text[], may_retry boolean[], error jsonb[], charged bigint[],
  input_tokens bigint[], cached_input_tokens bigint[], output_tokens bigint[], reasoning_tokens bigint[]
) returns void language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform store.lock_batches(array(select i.batch_id from store.batch_item i where i.completion_id = any($1)));
  with told as (
    select i.ctid as at, i.reserved, o.*,
      -- Five seconds, then four times as long each time, up to ten minutes, a fifth more or less.
      o.may_retry and i.tries < b.max_tries and b.state = 'in_progress' and w.ready_at < b.expires_at as goes_on,
      w.ready_at
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
        o(completion, state, may_retry, error, charged, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens)
      join store.batch_item i on i.completion_id = o.completion and i.state = 'running'
      join store.batch b on b.id = i.batch_id,
      lateral (select clock_timestamp()
        + least(5 * 4.0 ^ (i.tries - 1), 600) * (0.8 + 0.4 * random()) * interval '1 s' as ready_at) w
  ), changed as (
    update store.batch_item t
    set state = case when o.goes_on then 'pending' else o.state end,
        completion_id = case when o.goes_on then null else t.completion_id end,
        ready_at = case when o.goes_on then o.ready_at else '-infinity' end,
        ended_at = case when o.goes_on then null else clock_timestamp() end,
        error = case when o.goes_on then o.error end,
        reserved = 0, charged = t.charged + o.charged
    from told o where t.ctid = o.at
    returning t.batch_id, t.state, o.reserved, o.charged, o.input_tokens, o.cached_input_tokens, o.output_tokens,
      o.reasoning_tokens
  )
  update store.batch b
  set running = b.running - n.items, pending = b.pending + n.pending, completed = b.completed + n.completed,
      failed = b.failed + n.failed, cancelled = b.cancelled + n.cancelled, expired = b.expired + n.expired,
      reserved = b.reserved - n.reserved, charged = b.charged + n.charged,
      input_tokens = b.input_tokens + n.input_tokens, cached_input_tokens = b.cached_input_tokens + n.cached_input_tokens,
      output_tokens = b.output_tokens + n.output_tokens, reasoning_tokens = b.reasoning_tokens + n.reasoning_tokens
  from (
    select c.batch_id, count(*) as items,
      count(*) filter (where c.state = 'pending') as pending, count(*) filter (where c.state = 'completed') as completed,
      count(*) filter (where c.state = 'failed') as failed, count(*) filter (where c.state = 'cancelled') as cancelled,
      count(*) filter (where c.state = 'expired') as expired, sum(c.reserved) as reserved, sum(c.charged) as charged,
      sum(c.input_tokens) as input_tokens, sum(c.cached_input_tokens) as cached_input_tokens,
      sum(c.output_tokens) as output_tokens, sum(c.reasoning_tokens) as reasoning_tokens
    from changed c group by 1) n
  where b.id = n.batch_id;
end $$;

-- Ends lines that nothing runs for: those a feeder has claimed and found wanting, each with why; or, where no lines are
-- named, all that wait, for one reason.
create function store.close_items(batch uuid, lines int[], new_state text, error jsonb[]) returns int language plpgsql as $$
#variable_conflict use_column
declare
  waiting int;
  claimed int;
begin
  perform store.lock_batches(array[$1]);
  with closed as (
    update store.batch_item t
    set state = $3, ended_at = clock_timestamp(), ready_at = '-infinity', completion_id = null,
        error = case when $2 is null then $4[1] else o.error end,
        -- It was never tried.
        tries = case o.was when 'claimed' then t.tries - 1 else t.tries end
    from (select i.ctid as at, i.state as was, e.error
          from store.batch_item i
          left join unnest($2, $4) e(line, error) on e.line = i.line
          where i.batch_id = $1 and case when $2 is null then i.state = 'pending' else i.state = 'claimed' and e.line is not null end
          for update of i) o
    where t.ctid = o.at
    returning o.was
  )
  select count(*) filter (where was = 'pending'), count(*) filter (where was = 'claimed') into waiting, claimed from closed;
  update store.batch b
  set pending = b.pending - waiting, running = b.running - claimed,
      failed = b.failed + case $3 when 'failed' then waiting + claimed else 0 end,
      cancelled = b.cancelled + case $3 when 'cancelled' then waiting + claimed else 0 end,
      expired = b.expired + case $3 when 'expired' then waiting + claimed else 0 end
  where b.id = $1;
  return waiting + claimed;
end $$;

-- Puts claimed items back as if nobody had claimed them: they could not be admitted now.
create function store.unclaim_items(batch uuid, lines int[], ready_at timestamptz) returns void language plpgsql as $$
#variable_conflict use_column
declare
  items int;
begin
  perform store.lock_batches(array[$1]);
  with back as (
    update store.batch_item t
    set state = 'pending', completion_id = null, tries = t.tries - 1, ready_at = unclaim_items.ready_at
    where t.batch_id = $1 and t.line = any($2) and t.state = 'claimed'
    returning 1
  )
  select count(*) into items from back;
  update store.batch b set running = b.running - items, pending = b.pending + items where b.id = $1;
end $$;
