import { type AccountId, accountIdOf, completionIdOf, uuidOf } from '@weir/contracts'
import { type CheckReport, type Finding, createLedgerCheck } from '@weir/ledger'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** A finding of the ledger's own check, or one about completions beside the ledger. */
export type BooksFinding = Omit<Finding, 'invariant'> & { invariant: string }
export type BooksReport = Omit<CheckReport, 'findings'> & { findings: BooksFinding[] }
export type CheckBooks = (options?: {
  accountIds?: readonly AccountId[] | undefined
  signal?: AbortSignal
}) => Promise<BooksReport>

/** Findings are listed up to here; how many more there are is counted. */
const MOST_FINDINGS = 100

/**
 * Proves from the rows alone that the books are whole, and that completions say the same as the books: each has one
 * reservation, both are open or both have ended, with the same charge, which is no more than the usage costs at the price
 * it was quoted with, and the hours of usage add up. It reads all there is: `db` must allow statements to run for minutes.
 */
export function createCheckBooks(db: Database): CheckBooks {
  const ledger = createLedgerCheck(db)
  return async (options = {}) => {
    const report = await ledger.check({ ...options, limit: MOST_FINDINGS })
    const across = await findAcross(db, options.accountIds)
    const findings = [...across, ...report.findings]
    const listed = findings.slice(0, MOST_FINDINGS)
    return { ...report, findings: listed, unlisted: report.unlisted + findings.length - listed.length }
  }
}

type Row = { invariant: string; account_id: string; completion_id: string | null; message: string }

/**
 * One statement, and so one snapshot. Tokens are whatever a backend once claimed, and sums of them no `bigint`. Months that
 * were taken out of the books are left out: they were proved before.
 */
async function findAcross(db: Database, accountIds: readonly AccountId[] | undefined): Promise<BooksFinding[]> {
  const asked = accountIds ? sql`= any(${accountIds.map(uuidOf)}::uuid[])` : sql`is not null`
  const { rows } = await sql<Row>`
    with kept as (
      select ledger.first_id_at(coalesce(max(month) + interval '1 month', '2000-01-01')) as since from ledger.archived_month
    ), pair as (
      select coalesce(c.account_id, r.account_id) as account_id, coalesce(c.id, r.id) as id, c.account_id as c_account,
        c.id as c_id, c.state as c_state, c.charged, r.account_id as r_account, r.id as r_id, r.state as r_state, r.captured,
        r.cost, r.price_id, c.batch_discount, c.input_tokens, c.cached_input_tokens, c.cache_write_tokens, c.output_tokens,
        c.reasoning_tokens, c.images
      from (select * from store.completion, kept where id >= since and account_id ${asked}) c
      full join (select * from ledger.reservation, kept where id >= since and account_id ${asked}) r on r.id = c.id
    ), priced as (
      select p.account_id, p.id, p.cost, ${calculated} as calculated
      from pair p join (${pricesInNumbers}) v on v.id = p.price_id where p.c_state <> 'queued' and p.cost > 0
    ), hour as (
      select account_id, hour, model, key_id, sum(requests) as requests, sum(tokens) as tokens, sum(charged) as charged from (
        select account_id, hour, model, key_id, requests,
          input_tokens::numeric + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens + images
            as tokens, charged
        from store.usage_hour where account_id ${asked}
        union all
        select account_id, date_trunc('hour', ended_at, 'UTC'), model, key_id, -count(*),
          -sum(coalesce(input_tokens::numeric + cached_input_tokens + coalesce(cache_write_tokens, 0) + output_tokens
            + coalesce(reasoning_tokens, 0) + coalesce(images, 0), 0)), -sum(coalesce(charged, 0))
        from store.completion where state <> 'queued' and account_id ${asked} group by 1, 2, 3, 4
      ) both_sides group by 1, 2, 3, 4
    )
    select 'completion-has-reservation' as invariant, account_id, id as completion_id, 'it has no reservation' as message
      from pair where r_id is null
    union all select 'reservation-has-completion', account_id, id, 'its reservation belongs to no completion'
      from pair where c_id is null
    union all select 'completion-of-its-account', account_id, id, 'its reservation is of another account'
      from pair where c_account <> r_account
    union all select 'completion-ends-with-its-reservation', account_id, id,
        format('it is %s and its reservation is %s', c_state, r_state)
      from pair where (c_state = 'queued') <> (r_state = 'open')
    union all select 'completion-says-its-charge', account_id, id, format('it says %s, the books say %s', charged, captured)
      from pair where c_state <> 'queued' and charged is distinct from captured
    union all select 'completion-costs-what-it-used', account_id, id,
        format('its usage at its price comes to %s, and it cost %s', calculated, cost)
      from priced where cost > calculated
    union all select 'usage-adds-up', account_id, null,
        format('%s, model %s: %s requests, %s tokens and %s microcredits too many', hour, model, requests, tokens, charged)
      from hour where (requests, tokens, charged) <> (0, 0, 0)
    limit ${MOST_FINDINGS}`.execute(db)
  return rows.map(({ invariant, account_id, completion_id, message }) => ({
    invariant,
    accountId: accountIdOf(account_id),
    subject: completion_id === null ? accountIdOf(account_id) : completionIdOf(completion_id),
    message,
  }))
}

/** Every version with its amounts as numbers: of tokens that have no price of their own, the one that stands for it. */
const pricesInNumbers = sql`
  select id, (price ->> 'input')::numeric as input, (price ->> 'cachedInput')::numeric as cached_input,
    coalesce(price ->> 'cacheWrite', price ->> 'input')::numeric as cache_write,
    (price ->> 'output')::numeric as output, coalesce(price ->> 'reasoning', price ->> 'output')::numeric as reasoning,
    coalesce(price ->> 'image', '0')::numeric as image, coalesce(price ->> 'request', '0')::numeric as request,
    coalesce(price ->> 'minimum', '0')::numeric as minimum
  from ledger.price_version`

const discounted = (column: string) => sql`div(${sql.ref(`v.${column}`)} * (100 - p.batch_discount), 100)`

/**
 * What a completion's usage comes to, in microcredits: `costOf` and `batchPriceOf` once more, by other means. `div` is exact;
 * a quotient of `numeric` is not, where it is long.
 */
const calculated = sql`div(greatest(
  p.input_tokens * ${discounted('input')} + p.cached_input_tokens * ${discounted('cached_input')}
    + coalesce(p.cache_write_tokens, 0) * ${discounted('cache_write')} + p.output_tokens * ${discounted('output')}
    + coalesce(p.reasoning_tokens, 0) * ${discounted('reasoning')} + coalesce(p.images, 0) * ${discounted('image')}
    + ${discounted('request')},
  ${discounted('minimum')}) + 999999, 1000000)`
