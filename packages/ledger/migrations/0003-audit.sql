-- The books as one can audit them: every credit has a source, every movement an entry, every reservation an end.
-- This replaces the tables of 0001 and 0002; what they held is carried over at the end.
alter schema ledger rename to ledger_before;
create schema ledger;

-- What time it is for the books. Of its own, so that the tests can turn it.
create function ledger.clock() returns timestamptz language sql volatile as $$ select clock_timestamp() $$;

-- The smallest UUIDv7 of a time: its first 48 bits are milliseconds since the epoch (RFC 9562, section 5.7).
create function ledger.first_id_at(at timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex(floor(extract(epoch from greatest(at, 'epoch')) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- The row of an account is the mutex of everything below it: grants, reservations, budgets.
create table ledger.account (
  id uuid primary key,
  -- What its grants still hold, and how much of that open reservations have set aside.
  balance bigint not null default 0,
  held bigint not null default 0,
  -- Of what is held: how much was reserved before a certain time. A grant that ended before that time is only needed
  -- until this is zero (see ledger.forfeit).
  held_before bigint not null default 0,
  before_at timestamptz not null default '-infinity',
  -- Of its newest entry: gapless, so a missing entry can be proved.
  sequence bigint not null default 0,
  -- Of the batches that changed it: their order, for whoever wants to replay them.
  version bigint not null default 0,
  -- Frozen, it reserves nothing new. What is open goes on and is settled.
  frozen boolean not null default false,
  -- What a request gets that costs more than there is: a refusal, or an answer clamped to what is affordable.
  shortage text not null default 'refuse',
  -- Time never stands still or runs backwards for an account, whatever the clock of the server does.
  last_at timestamptz not null default '-infinity',
  constraint account_never_overdrawn check (0 <= held and held <= balance),
  constraint account_holds_what_it_held check (0 <= held_before and held_before <= held),
  constraint account_shortage_known check (shortage in ('refuse', 'clamp'))
) with (fillfactor = 50);

-- Credits given. All but `balance`, `revoked_at` and `closed` is as it was when it was given.
create table ledger.credit_grant (
  id uuid primary key,
  account_id uuid not null,
  kind text not null,
  priority smallint not null,
  expires_at timestamptz,
  amount bigint not null,
  balance bigint not null,
  revoked_at timestamptz,
  -- Nothing is left of it, or nothing that may still be drawn.
  closed boolean not null default false,
  created_at timestamptz not null,
  -- Grants are drawn in the order priority, expiry (none last), kind, id.
  kind_rank smallint not null generated always as (
    case kind when 'promotional' then 1 when 'subscription' then 2 else 3 end
  ) stored,
  constraint grant_kind_known check (kind in ('promotional', 'subscription', 'purchased')),
  constraint grant_gives_credits check (amount > 0),
  constraint grant_never_overdrawn check (0 <= balance and balance <= amount),
  constraint grant_closed_is_empty check (not closed or balance = 0),
  constraint grant_ends_after_it_was_given check (expires_at > created_at and revoked_at > created_at)
) with (fillfactor = 50);
-- On a flag and not on the balance: an index on what changes with every draw would have to be changed with it.
create index credit_grant_open on ledger.credit_grant (account_id) where not closed;
create index credit_grant_of_account on ledger.credit_grant (account_id, id);
create index credit_grant_ending on ledger.credit_grant (least(expires_at, revoked_at)) where not closed;

-- What was done to an account other than by a completion: by whom, why, and under which name. The name makes it happen
-- once: the same reference with another content is a conflict.
create table ledger.action (
  id uuid primary key,
  account_id uuid not null,
  kind text not null,
  reference text not null,
  -- Of a grant, adjustment or refund: what was asked for. An adjustment may be negative.
  amount bigint,
  -- Of the new grant.
  grant_kind text,
  priority smallint,
  expires_at timestamptz,
  -- The grant it gave, revoked or expired; the completion it refunded.
  grant_id uuid,
  completion_id uuid,
  -- What it moved: in positive, out negative.
  moved bigint not null,
  actor text not null,
  reason text,
  created_at timestamptz not null,
  constraint action_kind_known check (kind in ('grant', 'revoke', 'expire', 'adjust', 'refund', 'freeze', 'unfreeze')),
  constraint action_is_explained check (kind in ('grant', 'expire') or reason is not null)
);
-- What expires is named by the ledger itself: in names of its own, which nobody else can take.
create unique index action_done_once on ledger.action (account_id, reference, (kind = 'expire'));
create index action_of_account on ledger.action (account_id, id);
create index action_refunds on ledger.action (completion_id) where completion_id is not null;

-- Prices, each in force from its time until the next one of its model. Amounts are whole picocredits as text: JSON numbers
-- lose digits. Rows are only ever added, so what was quoted can be recomputed for ever.
create table ledger.price_version (
  id uuid primary key,
  model text not null,
  effective_at timestamptz not null,
  price jsonb not null,
  -- Who set it: the model catalogue of a deployment, or an operator.
  source text not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint price_is_an_object check (jsonb_typeof(price) = 'object'),
  constraint price_source_known check (source in ('catalogue', 'admin'))
);
create index price_version_of_model on ledger.price_version (model, effective_at desc, id desc);

-- How much a key may spend in a day, a month (both of UTC) or altogether.
create table ledger.key_limit (
  account_id uuid not null,
  key_id uuid not null,
  period text not null,
  amount bigint not null,
  created_at timestamptz not null,
  primary key (account_id, key_id, period),
  constraint key_limit_period_known check (period in ('day', 'month', 'total')),
  constraint key_limit_not_negative check (amount >= 0)
);

-- What a limited key has spent and holds in a period. A completion counts in the period in which it was reserved.
create table ledger.key_spend (
  account_id uuid not null,
  key_id uuid not null,
  period text not null,
  starts_at timestamptz not null,
  held bigint not null,
  spent bigint not null,
  primary key (account_id, key_id, period, starts_at),
  constraint key_spend_not_negative check (held >= 0 and spent >= 0)
) with (fillfactor = 50);

create function ledger.period_start(period text, at timestamptz) returns timestamptz language sql immutable as $$
  select case period when 'total' then '-infinity'::timestamptz else date_trunc(period, at, 'UTC') end
$$;

-- One per completion, with its id. A row, never a counter: it is open, and then ends once.
-- Ids are UUIDv7, so a range of ids is a month. No second index and room on every page: ending one touches no index.
create table ledger.reservation (
  id uuid not null,
  account_id uuid not null,
  key_id uuid,
  -- The most it can cost, as it was asked for; and what is set aside, which is less where the answer was clamped.
  quote bigint not null,
  amount bigint not null,
  price_id uuid,
  -- The limits of its key that it counts against: 1 day, 2 month, 4 total.
  counted smallint not null default 0,
  state text not null default 'open',
  -- What it came to cost, and what of that was paid. The difference is an `uncollected` entry.
  cost bigint,
  captured bigint not null default 0,
  created_at timestamptz not null,
  -- By then it has ended or been extended. Nobody ends it by this clock alone.
  expires_at timestamptz not null,
  closed_at timestamptz,
  primary key (id),
  constraint reservation_state_known check (state in ('open', 'settled', 'released', 'expired')),
  constraint reservation_open_or_closed check ((state = 'open') = (closed_at is null)),
  constraint reservation_not_negative check (quote >= 0 and amount >= 0),
  constraint reservation_captures_its_cost check (
    case state when 'open' then captured = 0 and cost is null
               when 'settled' then 0 <= captured and captured <= cost
               else captured = 0 and cost = 0 end)
) partition by range (id);

-- Every movement of credits, append-only: what comes in is positive, what goes out negative. Each row is a balanced
-- booking, its kind says the other side. `uncollected` moves nothing: a memo of what could not be taken.
create table ledger.entry (
  account_id uuid not null,
  sequence bigint not null,
  kind text not null,
  -- The completion that was charged, or the action.
  ref uuid not null,
  grant_id uuid,
  amount bigint not null,
  -- Of the grant, after this entry.
  balance_after bigint,
  created_at timestamptz not null,
  constraint entry_once unique nulls not distinct (ref, kind, grant_id),
  constraint entry_kind_fits_its_sign check (
    case kind when 'grant' then amount > 0 when 'refund' then amount > 0 when 'adjustment' then amount <> 0
              when 'charge' then amount < 0 when 'expiry' then amount < 0 when 'revocation' then amount < 0
              when 'uncollected' then amount < 0 else false end),
  constraint entry_names_its_grant check ((kind = 'uncollected') = (grant_id is null)),
  constraint entry_balance_not_negative check ((grant_id is null) = (balance_after is null) and balance_after >= 0)
) partition by range (ref);
create index entry_of_account on ledger.entry (account_id, sequence);

-- What the entries of a month that was taken out of the books came to, so that the rest can still be proved.
create table ledger.archived_month (
  account_id uuid not null,
  month date not null,
  entries bigint not null,
  moved bigint not null,
  primary key (account_id, month)
);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger entry_append_only before update or delete or truncate on ledger.entry
  for each statement execute function ledger.refuse_change();
create trigger price_append_only before update or delete or truncate on ledger.price_version
  for each statement execute function ledger.refuse_change();
create trigger action_append_only before update or delete or truncate on ledger.action
  for each statement execute function ledger.refuse_change();
create trigger grant_immutable
  before update of account_id, kind, priority, expires_at, amount, created_at or delete or truncate
  on ledger.credit_grant for each statement execute function ledger.refuse_change();
