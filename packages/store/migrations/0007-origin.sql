-- Where a completion comes from, and whom to tell of its end.
alter table store.completion
  -- A line of a batch: it waits on the lane of batches, and no listing shows it beside what its owner asked for one by one.
  add column of_batch boolean not null default false,
  -- Where its end is told, beside the endpoints of its account.
  add column webhook_url text,
  add constraint completion_webhook_url_length check (length(webhook_url) <= 2048);

drop function store.insert_completions(
  boolean[], uuid[], uuid[], uuid[], text[], boolean[], timestamptz[], boolean[], jsonb[], smallint[]);
create function store.insert_completions(
  accepted boolean[], id uuid[], account uuid[], key uuid[], model text[], stream boolean[], deadline timestamptz[],
  background boolean[], metadata jsonb[], batch_discount smallint[], of_batch boolean[], webhook_url text[]
) returns void language sql as $$
  insert into store.completion
    (id, account_id, key_id, model, stream, deadline_at, background, metadata, batch_discount, of_batch, webhook_url)
  select o.id, o.account, o.key, o.model, o.stream, o.deadline, o.background, o.metadata, o.batch_discount, o.of_batch,
    o.webhook_url
  from unnest(accepted, id, account, key, model, stream, deadline, background, metadata, batch_discount, of_batch,
      webhook_url)
    o(accepted, id, account, key, model, stream, deadline, background, metadata, batch_discount, of_batch, webhook_url)
  where o.accepted
$$;
