-- Who may ask, and what was asked. Names of people and things live here; the ledger knows ids only.
create schema store;

create table store.account (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint account_named check (length(name) between 1 and 200)
);

create table store.api_key (
  id uuid primary key,
  account_id uuid not null references store.account (id),
  name text not null,
  -- HMAC-SHA256 of the secret: the secret itself is shown once and kept nowhere.
  digest bytea not null,
  -- The last characters of the secret, so that a person can tell keys apart.
  hint text not null,
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz,
  constraint api_key_named check (length(name) between 1 and 200),
  constraint api_key_digest_unique unique (digest)
);
create index api_key_account on store.api_key (account_id, id);

-- The first and the last word on every completion; Redis knows what happens in between.
create table store.completion (
  id uuid primary key,
  account_id uuid not null,
  key_id uuid not null,
  model text not null,
  stream boolean not null,
  state text not null default 'queued',
  created_at timestamptz not null default clock_timestamp(),
  deadline_at timestamptz not null,
  ended_at timestamptz,
  served_by text,
  error_code text,
  input_tokens bigint,
  cached_input_tokens bigint,
  output_tokens bigint,
  usage_source text,
  -- Microcredits, as the ledger settled them.
  charged bigint,
  constraint completion_state_known check (state in ('queued', 'completed', 'failed', 'cancelled', 'expired')),
  constraint completion_ended_or_not check ((state = 'queued') = (ended_at is null)),
  constraint completion_only_failures_have_errors check (state <> 'completed' or error_code is null)
) with (fillfactor = 50);

-- What the reconciler follows: completions that were still open when it first looked, found by their age alone,
-- so that ending a completion needs no index on its state.
create table store.watched_completion (id uuid primary key);
create table store.watch_cursor (
  only_row boolean primary key default true check (only_row),
  -- Every completion made before this time has been looked at.
  seen_until timestamptz not null
);
insert into store.watch_cursor (seen_until) values ('-infinity');

create function store.insert_completions(
  accepted boolean[], id uuid[], account uuid[], key uuid[], model text[], stream boolean[], deadline timestamptz[]
) returns void language sql as $$
  insert into store.completion (id, account_id, key_id, model, stream, deadline_at)
  select o.id, o.account, o.key, o.model, o.stream, o.deadline
  from unnest(accepted, id, account, key, model, stream, deadline) o(accepted, id, account, key, model, stream, deadline)
  where o.accepted
$$;

-- The plan is pinned: with few rows or old statistics a hash join would read the whole table for each batch.
create function store.end_completions(
  id uuid[], state text[], served_by text[], error_code text[],
  input_tokens bigint[], cached_input_tokens bigint[], output_tokens bigint[], usage_source text[], charged bigint[]
) returns void language sql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  update store.completion t
  set state = o.state, ended_at = clock_timestamp(), served_by = o.served_by, error_code = o.error_code,
      input_tokens = o.input_tokens, cached_input_tokens = o.cached_input_tokens, output_tokens = o.output_tokens,
      usage_source = o.usage_source, charged = o.charged
  -- By position: a name would mean the column.
  from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
    o(id, state, served_by, error_code, input_tokens, cached_input_tokens, output_tokens, usage_source, charged)
  where t.id = o.id and t.state = 'queued'
$$;

-- The smallest UUIDv7 of a time: its first 48 bits are milliseconds since the epoch (RFC 9562, section 5.7).
create function store.uuid_at(at timestamptz) returns uuid language sql immutable parallel safe as $$
  select case
    when at < 'epoch' then '00000000-0000-0000-0000-000000000000'::uuid
    else (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
  end
$$;
