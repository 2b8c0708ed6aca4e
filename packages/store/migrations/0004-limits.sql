-- How much of the service an account, or one key of it, may have and ask for, where that was decided for it.
create table store.rate_limit (
  account_id uuid not null references store.account (id),
  -- Absent where it is the account's own.
  key_id uuid references store.api_key (id),
  concurrent int,
  queued int,
  requests_per_minute int,
  tokens_per_minute int,
  changed_at timestamptz not null default clock_timestamp(),
  constraint rate_limit_once unique nulls not distinct (account_id, key_id),
  constraint rate_limit_positive check (
    least(concurrent, queued, requests_per_minute, tokens_per_minute) > 0),
  constraint rate_limit_bounds_something check (
    coalesce(concurrent, queued, requests_per_minute, tokens_per_minute) is not null)
);
