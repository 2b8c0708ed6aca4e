-- What the processes that serve may do: read the books, add prices, and call the functions that keep them. They own
-- nothing here, so they can neither change nor delete an entry. Grant this role to the login of DATABASE_URL. Where the
-- one who migrates may not make roles, it is left out; then the triggers alone keep the entries.
do $$
begin
  begin
    create role weir_app nologin;
  exception
    -- There already, or made by another database of this server just now.
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then raise notice 'the role weir_app cannot be made';
  end;
  if not exists (select from pg_roles where rolname = 'weir_app') then return; end if;

  grant usage on schema ledger, ledger_archive to weir_app;
  grant select on all tables in schema ledger to weir_app;
  alter default privileges in schema ledger grant select on tables to weir_app;
  alter default privileges in schema ledger_archive grant select on tables to weir_app;
  grant insert on ledger.price_version to weir_app;
  grant execute on function
    ledger.clock, ledger.first_id_at, ledger.period_start, ledger.apply, ledger.amend, ledger.set_shortage,
    ledger.set_key_limit, ledger.register_prices, ledger.make_month, ledger.detach_month
  to weir_app;
end $$;
revoke all on all functions in schema ledger from public;
