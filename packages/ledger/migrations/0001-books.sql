-- The books. Amounts are whole microcredits. The row of an account is the mutex of everything below it.
create schema ledger;

create table ledger.account (
  id uuid primary key,
  -- What its grants still hold, and how much of that open reservations have set aside.
  balance bigint not null default 0,
  held bigint not null default 0,
  -- Of its newest entry: gapless, so a missing entry can be proved.
  sequence bigint not null default 0,
  constraint account_never_overdrawn check (0 <= held and held <= balance)
) with (fillfactor = 50);

create table ledger.credit_grant (
  id uuid primary key,
  account_id uuid not null,
  kind text not null,
  amount bigint not null,
  balance bigint not null,
  -- The caller's own name for this grant: giving it again with the same reference gives it once.
  reference text,
  created_at timestamptz not null,
  constraint grant_kind_known check (kind in ('promotional', 'subscription', 'purchased')),
  constraint grant_never_overdrawn check (0 <= balance and balance <= amount),
  constraint grant_given_once unique (account_id, reference)
) with (fillfactor = 50);
create index credit_grant_open on ledger.credit_grant (account_id) where balance > 0;

-- One per completion, with its id. A row, never a counter: it ends settled or released, once.
-- No second index and room on every page, so that ending one touches no index.
create table ledger.reservation (
  id uuid primary key,
  account_id uuid not null,
  amount bigint not null,
  captured bigint not null default 0,
  state text not null default 'open',
  created_at timestamptz not null,
  closed_at timestamptz,
  constraint reservation_amount_not_negative check (amount >= 0 and captured >= 0),
  constraint reservation_state_known check (state in ('open', 'settled', 'released')),
  constraint reservation_open_or_closed check ((state = 'open') = (closed_at is null))
) with (fillfactor = 50);

-- Every movement of credits, append-only. `grant` adds, `charge` takes, `uncollected` records what could not be taken.
create table ledger.entry (
  account_id uuid not null,
  sequence bigint not null,
  kind text not null,
  -- The completion that was charged, or the grant that was given.
  ref uuid not null,
  grant_id uuid,
  amount bigint not null,
  -- Of the grant, after this entry.
  balance_after bigint,
  created_at timestamptz not null,
  primary key (account_id, sequence),
  constraint entry_kind_known check (kind in ('grant', 'charge', 'uncollected')),
  constraint entry_moves_credits check (amount > 0),
  constraint entry_names_its_grant check ((kind = 'uncollected') = (grant_id is null)),
  constraint entry_once unique nulls not distinct (ref, kind, grant_id)
);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'entries are append-only';
end $$;

create trigger entry_append_only before update or delete or truncate on ledger.entry
  for each statement execute function ledger.refuse_change();
