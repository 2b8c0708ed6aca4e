-- What accounts hand over in bulk, and what they are handed back: bytes in chunks, so that nobody ever holds a whole file.
create table store.file (
  id uuid primary key,
  account_id uuid not null,
  -- Who uploaded it; null where the service wrote it.
  key_id uuid,
  purpose text not null,
  filename text not null,
  bytes bigint not null default 0,
  state text not null default 'uploading',
  created_at timestamptz not null default clock_timestamp(),
  -- When something was last written to it: an upload that nobody touches is abandoned.
  touched_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  constraint file_purpose_known check (purpose in ('batch', 'batch_output', 'batch_input')),
  constraint file_state_known check (state in ('uploading', 'processed', 'deleted')),
  constraint file_named check (length(filename) between 1 and 255),
  constraint file_never_negative check (bytes >= 0)
);
-- None of them has a column that a growing file changes: an append touches no index.
create index file_of_account on store.file (account_id, id) where state = 'processed';
create index file_uploading on store.file (created_at) where state = 'uploading';
create index file_expiring on store.file (expires_at) where state = 'processed';
create index file_deleted on store.file (id) where state = 'deleted';

-- Every chunk but the last has the same size, so a range of bytes is found by position.
create table store.file_chunk (
  file_id uuid not null references store.file (id),
  position int not null,
  -- Not compressed: a part of it is read without the rest.
  bytes bytea storage external not null,
  primary key (file_id, position),
  constraint file_chunk_holds_something check (length(bytes) > 0)
);

-- What an account's files take, those that are being uploaded as they grow: counted in the statement that changes them, and the
-- lock under which they grow, so that several at once never exceed what one of them may.
create table store.file_usage (
  account_id uuid primary key,
  files bigint not null default 0,
  bytes bigint not null default 0,
  constraint file_usage_never_negative check (files >= 0 and bytes >= 0)
);

-- Files are locked before the usage of their account, and usages in the order of their accounts, here as below.

-- Begins a file, unless the account has as many as it may; no bound where that is null. What came with a message batch is none of
-- its files by number, only by bytes: nobody sees it who could delete it.
create function store.begin_file(
  id uuid, account uuid, key uuid, purpose text, filename text, expires_at timestamptz, keep_for interval, most_files bigint
) returns boolean language plpgsql as $$
begin
  insert into store.file_usage as u (account_id) values ($2) on conflict do nothing;
  update store.file_usage u set files = u.files + ($4 <> 'batch_input')::int
    where u.account_id = $2 and ($8 is null or u.files < $8 or $4 = 'batch_input');
  if not found then return false; end if;
  insert into store.file (id, account_id, key_id, purpose, filename, expires_at)
  values ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp() + $7));
  return true;
end $$;

-- Writes the next chunk of a file that is being uploaded: 'appended', or why not ('gone', 'full'), and then nothing is written.
create function store.append_to_file(id uuid, at int, chunk bytea, most_bytes bigint) returns text language plpgsql as $$
declare
  owner uuid;
begin
  select f.account_id into owner from store.file f where f.id = $1 and f.state = 'uploading' for update;
  if not found then return 'gone'; end if;
  update store.file_usage u set bytes = u.bytes + length($3)
    where u.account_id = owner and ($4 is null or u.bytes + length($3) <= $4);
  if not found then return 'full'; end if;
  update store.file f set bytes = f.bytes + length($3), touched_at = clock_timestamp() where f.id = $1;
  insert into store.file_chunk (file_id, position, bytes) values ($1, $2, $3);
  return 'appended';
end $$;

-- Shows files that were written unseen; how many of them were there to be shown. For whoever shows them together with something else.
create function store.publish_files(ids uuid[]) returns int language plpgsql as $$
declare
  shown int;
begin
  update store.file f set state = 'processed', touched_at = clock_timestamp()
    where f.id = any ($1) and f.state = 'uploading';
  get diagnostics shown = row_count;
  return shown;
end $$;

-- Frees the room of files; their chunks are swept later. How many of them had not been deleted before.
create function store.delete_files(ids uuid[]) returns int language plpgsql as $$
declare
  freed record;
  deleted int := 0;
begin
  for freed in
    with gone as (
      update store.file f set state = 'deleted', touched_at = clock_timestamp()
      where f.id = any ($1) and f.state <> 'deleted' returning f.account_id, f.bytes, f.purpose
    )
    select g.account_id, count(*) as files, count(*) filter (where g.purpose <> 'batch_input') as counted,
      sum(g.bytes)::bigint as bytes
    from gone g group by 1 order by 1
  loop
    update store.file_usage u set files = u.files - freed.counted, bytes = u.bytes - freed.bytes
      where u.account_id = freed.account_id;
    deleted := deleted + freed.files;
  end loop;
  return deleted;
end $$;
