-- What was used, hour by hour, and more about each end.
alter table store.completion
  -- How many attempts it took, and the output cap it was clamped to because its account could not pay for more.
  add column attempts smallint,
  add column clamped_to int;

-- By account, key, model and hour (of UTC) in which completions ended. Kept in the transaction that settles them, so it
-- is always what the entries say.
create table store.usage_hour (
  account_id uuid not null,
  key_id uuid not null,
  model text not null,
  hour timestamptz not null,
  requests bigint not null,
  input_tokens bigint not null,
  cached_input_tokens bigint not null,
  output_tokens bigint not null,
  -- Microcredits.
  charged bigint not null,
  primary key (account_id, hour, model, key_id),
  constraint usage_not_negative check (
    requests > 0 and input_tokens >= 0 and cached_input_tokens >= 0 and output_tokens >= 0 and charged >= 0)
) with (fillfactor = 50);

drop function store.end_completions(uuid[], text[], text[], text[], bigint[], bigint[], bigint[], text[], bigint[]);

-- The plan is pinned: with few rows or old statistics a hash join would read the whole table for each batch.
-- Hours are written in one order: two batches never lock each other out.
create function store.end_completions(
  id uuid[], state text[], served_by text[], error_code text[],
  input_tokens bigint[], cached_input_tokens bigint[], output_tokens bigint[], usage_source text[], charged bigint[],
  attempts smallint[], clamped_to int[], ended_at timestamptz[]
) returns void language sql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  with ended as (
    update store.completion t
    set state = o.state, ended_at = o.ended_at, served_by = o.served_by, error_code = o.error_code,
        input_tokens = o.input_tokens, cached_input_tokens = o.cached_input_tokens, output_tokens = o.output_tokens,
        usage_source = o.usage_source, charged = o.charged, attempts = o.attempts, clamped_to = o.clamped_to
    -- By position: a name would mean the column.
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
      o(id, state, served_by, error_code, input_tokens, cached_input_tokens, output_tokens, usage_source, charged,
        attempts, clamped_to, ended_at)
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

insert into store.usage_hour
  (account_id, key_id, model, hour, requests, input_tokens, cached_input_tokens, output_tokens, charged)
select account_id, key_id, model, date_trunc('hour', ended_at, 'UTC'), count(*), sum(coalesce(input_tokens, 0)),
  sum(coalesce(cached_input_tokens, 0)), sum(coalesce(output_tokens, 0)), sum(coalesce(charged, 0))
from store.completion where state <> 'queued' group by 1, 2, 3, 4;

-- The processes that serve; see the ledger's roles.
do $$
begin
  if not exists (select from pg_roles where rolname = 'weir_app') then return; end if;
  grant usage on schema store to weir_app;
  grant select, insert, update, delete on all tables in schema store to weir_app;
  grant execute on all functions in schema store to weir_app;
  alter default privileges in schema store grant select, insert, update, delete on tables to weir_app;
end $$;
