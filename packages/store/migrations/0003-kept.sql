-- What a completion leaves behind for its owner: itself in listings, its attempts, and, where it was asked for, its result.
alter table store.completion
  add column background boolean not null default false,
  -- Up to 16 pairs of text that the client gave it.
  add column metadata jsonb,
  -- Every attempt at it, oldest first, as the terminal record tells them.
  add column attempt_log jsonb,
  -- Its owner asked us to forget it. The books do not.
  add column deleted_at timestamptz;

create index completion_of_account on store.completion (account_id, id);

-- Completions that outlive Redis: those in the background, those with an idempotency key, those to be stored.
create table store.kept_completion (
  id uuid primary key,
  account_id uuid not null,
  -- The job as it was handed to the workers, so that it can be handed over again; null once it has ended.
  job text,
  -- The terminal record with the whole text; null until then.
  outcome text,
  -- How long the result is kept once it has ended.
  keep_for interval not null,
  -- When it may be forgotten; null until it has ended.
  keep_until timestamptz,
  constraint kept_as_job_or_outcome check ((job is null) = (outcome is not null)),
  constraint kept_until_something check ((outcome is null) = (keep_until is null))
);
create index kept_completion_until on store.kept_completion (keep_until) where keep_until is not null;

-- The first request with a key makes the completion that all others with it are given.
create table store.idempotency_key (
  account_id uuid not null,
  key text not null,
  -- SHA-256 of what was asked.
  digest bytea not null,
  completion_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, key),
  constraint idempotency_key_length check (length(key) between 1 and 255)
);
create index idempotency_key_age on store.idempotency_key (created_at);
create index idempotency_key_completion on store.idempotency_key (completion_id);

-- Whether a completion has ended without a charge and without a result: then its key may be used again.
create function store.key_is_free(id uuid) returns boolean language sql stable as $$
  select exists (
    select from store.completion c
    where c.id = $1 and c.state in ('failed', 'cancelled', 'expired') and c.charged = 0)
$$;

-- Gives each key to its completion, unless another one has it: then tells which, and whether it was asked the same. A key is
-- free again once it has lapsed, or once its completion has ended without a charge and without a result.
-- Keys are taken in one order, before any account is locked: two batches never lock each other out.
create function store.claim_keys(
  account uuid[], key text[], digest bytea[], id uuid[], ttl interval, out holder uuid[], out is_same boolean[]
) language plpgsql as $$
#variable_conflict use_column
declare
  i int;
  owner uuid;
  same boolean;
begin
  holder := array_fill(null::uuid, array[array_length($4, 1)]);
  is_same := array_fill(true, array[array_length($4, 1)]);
  for i in
    select o.n from unnest($1, $2) with ordinality o(account, key, n) where o.key is not null order by o.account, o.key, o.n
  loop
    insert into store.idempotency_key as t (account_id, key, digest, completion_id) values ($1[i], $2[i], $3[i], $4[i])
    on conflict (account_id, key) do update
      set digest = excluded.digest, completion_id = excluded.completion_id, created_at = clock_timestamp()
      where t.created_at < clock_timestamp() - $5
         or store.key_is_free(t.completion_id);
    select t.completion_id, t.digest = $3[i] into owner, same
      from store.idempotency_key t where t.account_id = $1[i] and t.key = $2[i];
    if owner <> $4[i] then
      holder[i] := owner;
      is_same[i] := same;
    end if;
  end loop;
end $$;

-- Gives keys back that were claimed for completions which were not let in.
create function store.unclaim_keys(account uuid[], key text[], id uuid[]) returns void language sql as $$
  delete from store.idempotency_key t using unnest($1, $2, $3) o(account, key, id)
  where t.account_id = o.account and t.key = o.key and t.completion_id = o.id
$$;

drop function store.insert_completions(boolean[], uuid[], uuid[], uuid[], text[], boolean[], timestamptz[]);
create function store.insert_completions(
  accepted boolean[], id uuid[], account uuid[], key uuid[], model text[], stream boolean[], deadline timestamptz[],
  background boolean[], metadata jsonb[]
) returns void language sql as $$
  insert into store.completion (id, account_id, key_id, model, stream, deadline_at, background, metadata)
  select o.id, o.account, o.key, o.model, o.stream, o.deadline, o.background, o.metadata
  from unnest(accepted, id, account, key, model, stream, deadline, background, metadata)
    o(accepted, id, account, key, model, stream, deadline, background, metadata)
  where o.accepted
$$;

create function store.keep_jobs(accepted boolean[], id uuid[], account uuid[], job text[], keep_for_ms bigint[])
returns void language sql as $$
  insert into store.kept_completion (id, account_id, job, keep_for)
  select o.id, o.account, o.job, o.keep_for_ms * interval '1 ms'
  from unnest(accepted, id, account, job, keep_for_ms) o(accepted, id, account, job, keep_for_ms)
  where o.accepted and o.job is not null
$$;

drop function store.end_completions(
  uuid[], text[], text[], text[], bigint[], bigint[], bigint[], text[], bigint[], smallint[], int[], timestamptz[]);

-- The plan is pinned: with few rows or old statistics a hash join would read the whole table for each batch.
-- Hours are written in one order: two batches never lock each other out.
create function store.end_completions(
  id uuid[], state text[], served_by text[], error_code text[],
  input_tokens bigint[], cached_input_tokens bigint[], output_tokens bigint[], usage_source text[], charged bigint[],
  attempts smallint[], clamped_to int[], ended_at timestamptz[], attempt_log jsonb[]
) returns void language sql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  with ended as (
    update store.completion t
    set state = o.state, ended_at = o.ended_at, served_by = o.served_by, error_code = o.error_code,
        input_tokens = o.input_tokens, cached_input_tokens = o.cached_input_tokens, output_tokens = o.output_tokens,
        usage_source = o.usage_source, charged = o.charged, attempts = o.attempts, clamped_to = o.clamped_to,
        attempt_log = o.attempt_log
    -- By position: a name would mean the column.
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
      o(id, state, served_by, error_code, input_tokens, cached_input_tokens, output_tokens, usage_source, charged,
        attempts, clamped_to, ended_at, attempt_log)
    where t.id = o.id and t.state = 'queued'
    returning t.*
  )
  insert into store.usage_hour as u
    (account_id, key_id, model, hour, requests, input_tokens, cached_input_tokens, output_tokens, charged)
  select e.account_id, e.key_id, e.model, date_trunc('hour', e.ended_at, 'UTC'), count(*), sum(e.input_tokens),
    sum(e.cached_input_tokens), sum(e.output_tokens), sum(e.charged)
  from ended e group by 1, 2, 3, 4 order by 1, 4, 3, 2
  on conflict (account_id, hour, model, key_id) do update
  set requests = u.requests + excluded.requests, input_tokens = u.input_tokens + excluded.input_tokens,
      cached_input_tokens = u.cached_input_tokens + excluded.cached_input_tokens,
      output_tokens = u.output_tokens + excluded.output_tokens, charged = u.charged + excluded.charged
$$;

-- The first end stands, here as everywhere. One that is not kept has no row here.
create function store.keep_outcomes(id uuid[], outcome text[]) returns void language sql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  update store.kept_completion t
  set outcome = o.outcome, job = null, keep_until = clock_timestamp() + t.keep_for
  from unnest($1, $2) o(id, outcome) where t.id = o.id and t.outcome is null
$$;
