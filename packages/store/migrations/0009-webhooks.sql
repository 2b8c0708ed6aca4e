-- Events that accounts are told of over HTTP: what happened, whom it is told, and how each try went.

-- A place that an account's events are sent to.
create table store.webhook_endpoint (
  id uuid primary key,
  account_id uuid not null,
  name text not null,
  url text not null,
  event_types text[] not null,
  -- Sealed: the database alone signs nothing. The previous one is signed with as well, until its time is over.
  secret bytea not null,
  secret_hint text not null,
  previous_secret bytea,
  previous_until timestamptz,
  -- Why nothing is sent to it: `owner`, `gone`, `failing`; null where it is enabled.
  disabled_for text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  constraint webhook_endpoint_named check (length(name) between 1 and 200),
  constraint webhook_endpoint_url_length check (length(url) <= 2048),
  constraint webhook_endpoint_subscribed check (cardinality(event_types) between 1 and 100),
  constraint webhook_endpoint_previous_ends check ((previous_secret is null) = (previous_until is null)),
  constraint webhook_endpoint_disabled_known check (disabled_for in ('owner', 'gone', 'failing'))
);
create index webhook_endpoint_account on store.webhook_endpoint (account_id, id);

-- What is sent to the address of one request is signed with this one of the account.
create table store.webhook_secret (
  account_id uuid primary key,
  secret bytea not null,
  secret_hint text not null,
  previous_secret bytea,
  previous_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  constraint webhook_secret_previous_ends check ((previous_secret is null) = (previous_until is null))
);

create table store.webhook_event (
  id uuid primary key,
  account_id uuid not null,
  type text not null,
  -- The completion or the batch that it is about.
  subject uuid not null,
  created_at timestamptz not null default clock_timestamp()
);

-- One event on its way to one place.
create table store.webhook_delivery (
  id uuid primary key,
  event_id uuid not null references store.webhook_event (id),
  account_id uuid not null,
  -- An endpoint, which may be gone by now, or the address that came with one request.
  endpoint_id uuid,
  url text,
  -- Deliveries to one target wait for one another: an endpoint, or all of an account's addresses at one server.
  target_id uuid not null,
  state text not null default 'pending',
  -- All tries at it, and those since it was last told to begin.
  attempts int not null default 0,
  tries int not null default 0,
  -- When it is due; while somebody has claimed it, when that claim lapses.
  next_at timestamptz not null default clock_timestamp(),
  claimed boolean not null default false,
  ended_at timestamptz,
  constraint webhook_delivery_state_known check (state in ('pending', 'delivered', 'failed')),
  constraint webhook_delivery_ended_or_not check ((state = 'pending') = (ended_at is null)),
  constraint webhook_delivery_claimed_while_pending check (not claimed or state = 'pending'),
  constraint webhook_delivery_one_place check ((endpoint_id is null) <> (url is null)),
  constraint webhook_delivery_url_length check (length(url) <= 2048)
);
create index webhook_delivery_of_account on store.webhook_delivery (account_id, id);
create index webhook_delivery_of_event on store.webhook_delivery (event_id);
create index webhook_delivery_pending on store.webhook_delivery (target_id, next_at) where state = 'pending';
create index webhook_delivery_claimed on store.webhook_delivery (target_id) where claimed;

create table store.webhook_attempt (
  delivery_id uuid not null references store.webhook_delivery (id) on delete cascade,
  number int not null,
  at timestamptz not null,
  -- What was answered, or why nothing was.
  status int,
  failure text,
  duration_ms int not null,
  primary key (delivery_id, number),
  constraint webhook_attempt_answered_or_not check ((status is null) <> (failure is null))
);

-- Targets whose last tries have failed; one that succeeds is none of them.
create table store.webhook_failing (
  target_id uuid primary key,
  failures int not null,
  since timestamptz not null,
  last_at timestamptz not null,
  -- Until then it is left alone.
  rest_until timestamptz not null
);

-- The target of what is sent to the address of a request.
create function store.webhook_target(account uuid, url text) returns uuid language sql immutable parallel safe as $$
  select md5(account::text || ' ' || lower(substring(url from '^[^:]+://[^/?#]*')))::uuid
$$;

-- Called by the statements that make it so: each event is told to the endpoints of its account that want its type, and to
-- the address of its request where there is one. What nobody is to be told is not written.
create function store.emit_events(account uuid[], type text[], subject uuid[], webhook_url text[])
returns void language sql as $$
  with given as materialized (
    select uuidv7() as id, o.account, o.type, o.subject, o.url
    from unnest($1, $2, $3, $4) o(account, type, subject, url)
  ), told as materialized (
    select g.id as event_id, g.account, e.id as endpoint_id, null::text as url, e.id as target_id
    from given g join store.webhook_endpoint e on e.account_id = g.account
    where e.disabled_for is null and g.type = any(e.event_types)
    union all
    select g.id, g.account, null, g.url, store.webhook_target(g.account, g.url) from given g where g.url is not null
  ), events as (
    insert into store.webhook_event (id, account_id, type, subject)
    select g.id, g.account, g.type, g.subject from given g where g.id in (select event_id from told)
  )
  insert into store.webhook_delivery (id, event_id, account_id, endpoint_id, url, target_id)
  select uuidv7(), t.event_id, t.account, t.endpoint_id, t.url, t.target_id from told t
$$;

-- The events of completions that end. It comes before the rows are ended, in the same statement: one that has ended
-- already is told of no more, and its row is locked, so that of two who end it at once only the first one tells.
create function store.emit_completion_events(id uuid[], state text[]) returns void language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
declare
  accounts uuid[];
  types text[];
  subjects uuid[];
  urls text[];
begin
  select array_agg(c.account_id), array_agg('chat.completion.' || c.state), array_agg(c.id), array_agg(c.webhook_url)
  into accounts, types, subjects, urls
  from (
    select t.id, t.account_id, t.webhook_url, o.state
    from unnest($1, $2) o(id, state) join store.completion t on t.id = o.id
    where t.state = 'queued' and (t.background or t.webhook_url is not null) and not t.of_batch
    order by t.id for no key update of t) c;
  if subjects is not null then perform store.emit_events(accounts, types, subjects, urls); end if;
end $$;

-- Due deliveries, claimed for a while: no more of one target and of one account at a time than may be under way, and only
-- one where a target fails again and again. One caller at a time; the others have nothing to do. It looks at a bounded
-- number of targets, from `after` on, and tells where to go on: null is the beginning.
create function store.claim_deliveries(
  after uuid, per_target int, per_account int, most int, failures_before_rest int, lease_ms bigint,
  out ids uuid[], out looked_until uuid
) language plpgsql as $$
#variable_conflict use_column
declare
  now_is timestamptz := clock_timestamp();
  most_targets constant int := 1000;
begin
  ids := '{}';
  looked_until := $1;
  if not pg_try_advisory_xact_lock(7730009) then return; end if;

  -- From target to target by the index, however many deliveries each of them has.
  with recursive target(id, n) as (
    select (select d.target_id from store.webhook_delivery d where d.state = 'pending' and ($1 is null or d.target_id > $1)
            order by d.target_id limit 1), 1
    union all
    select (select d.target_id from store.webhook_delivery d where d.state = 'pending' and d.target_id > t.id
            order by d.target_id limit 1), t.n + 1
    from target t where t.id is not null and t.n < most_targets
  ), taken as materialized (
    select d.target_id, d.account_id, count(*) as running from store.webhook_delivery d
    where d.claimed and d.state = 'pending' and d.next_at > now_is group by 1, 2
  ), open as (
    select t.id, case when f.failures >= failures_before_rest then 1 else per_target end
      - coalesce((select sum(k.running) from taken k where k.target_id = t.id), 0) as room
    from target t left join store.webhook_failing f on f.target_id = t.id
    where t.id is not null and (f.rest_until is null or f.rest_until <= now_is)
  ), due as materialized (
    select d.* from open o, lateral (
      select d.id, d.account_id, d.next_at from store.webhook_delivery d
      where d.target_id = o.id and d.state = 'pending' and d.next_at <= now_is
      order by d.next_at limit greatest(o.room, 0) for no key update skip locked) d
  ), placed as (
    select u.id, u.next_at, row_number() over (partition by u.account_id order by u.next_at)
      + coalesce((select sum(k.running) from taken k where k.account_id = u.account_id), 0) as place
    from due u
  ), picked as (
    select p.id from placed p where p.place <= per_account order by p.next_at limit most
  ), claimed as (
    update store.webhook_delivery d set claimed = true, next_at = now_is + lease_ms * interval '1 ms'
    from picked p where d.id = p.id returning d.id
  )
  select coalesce((select array_agg(c.id) from claimed c), '{}'),
    (select t.id from target t where t.n = most_targets)
  into ids, looked_until;
end $$;

-- Writes down how a try went, and what becomes of its delivery. `verdict`: `delivered`, `retry` after `retry_ms`, `failed`,
-- or `gone`, which disables its endpoint, as does a target that has only failed for `patience_ms`. Tells whether what else
-- is to go there must be given up. A try that was made twice, by two who had both claimed it, is written down once.
create function store.end_webhook_attempt(
  id uuid, made int, began timestamptz, status int, failure text, duration_ms int, verdict text,
  retry_ms bigint, rest_ms bigint, patience_ms bigint, out ended boolean, out abandoned uuid
) language plpgsql as $$
#variable_conflict use_column
declare
  d store.webhook_delivery;
  failing_since timestamptz;
  why text;
begin
  update store.webhook_delivery t
  set attempts = t.attempts + 1, tries = t.tries + 1, claimed = false,
      state = case when verdict = 'delivered' then 'delivered' when verdict = 'retry' then 'pending' else 'failed' end,
      next_at = clock_timestamp() + coalesce(retry_ms, 0) * interval '1 ms',
      ended_at = case when verdict <> 'retry' then clock_timestamp() end
  where t.id = $1 and t.state = 'pending' and t.claimed and t.attempts = made
  returning t.* into d;
  ended := found;
  if not found then return; end if;
  insert into store.webhook_attempt values (d.id, d.attempts, began, status, failure, duration_ms);

  if verdict = 'delivered' then
    delete from store.webhook_failing f where f.target_id = d.target_id;
    return;
  end if;
  insert into store.webhook_failing as f values
    (d.target_id, 1, began, clock_timestamp(), clock_timestamp() + rest_ms * interval '1 ms')
  on conflict (target_id) do update
    set failures = f.failures + 1, last_at = excluded.last_at, rest_until = greatest(f.rest_until, excluded.rest_until)
  returning f.since into failing_since;

  why := case when verdict = 'gone' then 'gone'
    when failing_since <= clock_timestamp() - patience_ms * interval '1 ms' then 'failing' end;
  if why is null or (why = 'gone' and d.endpoint_id is null) then return; end if;
  update store.webhook_endpoint e set disabled_for = why, updated_at = clock_timestamp()
  where e.id = d.endpoint_id and e.disabled_for is null;
  delete from store.webhook_failing f where f.target_id = d.target_id;
  abandoned := d.target_id;
end $$;
