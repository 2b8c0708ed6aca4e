-- What a version says can be computed with: whole picocredits as text, and a discount in percent.
alter table ledger.price_version add constraint price_is_whole_picocredits check (
  price ?& '{input,cachedInput,output}'
  and not jsonb_path_exists(
    price - 'batchDiscount', '$.* ? (@.type() != "string" || !(@ like_regex "^[0-9]{1,19}$"))')
  and jsonb_typeof(coalesce(price -> 'batchDiscount', '0')) = 'number'
  and (coalesce(price ->> 'batchDiscount', '0'))::numeric between 0 and 100);
