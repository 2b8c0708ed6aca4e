-- What was used in every kind of token that has a price, and the discount of a line of a batch.
alter table store.completion
  -- Null where it has not ended, and for what ended before there were these.
  add column cache_write_tokens bigint,
  add column reasoning_tokens bigint,
  add column images bigint,
  -- So many percent less it costs than its price says.
  add column batch_discount smallint not null default 0,
  add constraint completion_discount_is_percent check (batch_discount between 0 and 100);

alter table store.usage_hour
  add column cache_write_tokens bigint not null default 0,
  add column reasoning_tokens bigint not null default 0,
  add column images bigint not null default 0,
  drop constraint usage_not_negative,
  add constraint usage_not_negative check (
    requests > 0 and input_tokens >= 0 and cached_input_tokens >= 0 and cache_write_tokens >= 0 and output_tokens >= 0
    and reasoning_tokens >= 0 and images >= 0 and charged >= 0);

drop function store.insert_completions(
  boolean[], uuid[], uuid[], uuid[], text[], boolean[], timestamptz[], boolean[], jsonb[]);
create function store.insert_completions(
  accepted boolean[], id uuid[], account uuid[], key uuid[], model text[], stream boolean[], deadline timestamptz[],
  background boolean[], metadata jsonb[], batch_discount smallint[]
) returns void language sql as $$
  insert into store.completion
    (id, account_id, key_id, model, stream, deadline_at, background, metadata, batch_discount)
  select o.id, o.account, o.key, o.model, o.stream, o.deadline, o.background, o.metadata, o.batch_discount
  from unnest(accepted, id, account, key, model, stream, deadline, background, metadata, batch_discount)
    o(accepted, id, account, key, model, stream, deadline, background, metadata, batch_discount)
  where o.accepted
$$;

drop function store.end_completions(
  uuid[], text[], text[], text[], bigint[], bigint[], bigint[], text[], bigint[], smallint[], int[], timestamptz[],
  jsonb[]);

-- The plan is pinned: with few rows or old statistics a hash join would read the whole table for each batch.
-- Hours are written in one order: two batches never lock each other out.
create function store.end_completions(
  id uuid[], state text[], served_by text[], error_code text[],
  input_tokens bigint[], cached_input_tokens bigint[], cache_write_tokens bigint[],
  output_tokens bigint[], reasoning_tokens bigint[], images bigint[], usage_source text[],
  charged bigint[], attempts smallint[], clamped_to int[], ended_at timestamptz[], attempt_log jsonb[]
) returns void language sql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  with ended as (
    update store.completion t
    set state = o.state, ended_at = o.ended_at, served_by = o.served_by, error_code = o.error_code,
        input_tokens = o.input_tokens, cached_input_tokens = o.cached_input_tokens,
        cache_write_tokens = o.cache_write_tokens, output_tokens = o.output_tokens,
        reasoning_tokens = o.reasoning_tokens, images = o.images, usage_source = o.usage_source, charged = o.charged,
        attempts = o.attempts, clamped_to = o.clamped_to, attempt_log = o.attempt_log
    -- By position: a name would mean the column.
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
      o(id, state, served_by, error_code, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
        reasoning_tokens, images, usage_source, charged, attempts, clamped_to, ended_at, attempt_log)
    where t.id = o.id and t.state = 'queued'
    returning t.*
  )
  insert into store.usage_hour as u
    (account_id, key_id, model, hour, requests, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
     reasoning_tokens, images, charged)
  select e.account_id, e.key_id, e.model, date_trunc('hour', e.ended_at, 'UTC'), count(*), sum(e.input_tokens),
    sum(e.cached_input_tokens), sum(e.cache_write_tokens), sum(e.output_tokens), sum(e.reasoning_tokens), sum(e.images),
    sum(e.charged)
  from ended e group by 1, 2, 3, 4 order by 1, 4, 3, 2
  on conflict (account_id, hour, model, key_id) do update
  set requests = u.requests + excluded.requests, input_tokens = u.input_tokens + excluded.input_tokens,
      cached_input_tokens = u.cached_input_tokens + excluded.cached_input_tokens,
      cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = u.output_tokens + excluded.output_tokens,
      reasoning_tokens = u.reasoning_tokens + excluded.reasoning_tokens,
      images = u.images + excluded.images, charged = u.charged + excluded.charged
$$;
