import {
  type AccountId,
  type CompletionId,
  type KeyId,
  type Microcredits,
  type PriceId,
  completionIdOf,
  uuidOf,
} from '@weir/contracts'
import { type AppliedRow, type Operation, type ReserveVerdict, applyCall, reserveVerdictAt } from '@weir/ledger'
import type { Metadata } from '@weir/store'
import { type RawBuilder, sql } from 'kysely'

/** A completion that asks to be let in: all that is written of it is written together or not at all. */
export type Admission = {
  id: CompletionId
  accountId: AccountId
  keyId: KeyId
  model: string
  stream: boolean
  background: boolean
  metadata: Metadata | undefined
  deadlineAt: number
  quote: Microcredits
  /** What an account that clamps must at least be able to pay. */
  least: Microcredits
  priceId: PriceId
  /** So many percent less it costs than that price says. */
  batchDiscount?: number | undefined
  /** A line of a batch. */
  ofBatch?: boolean | undefined
  /** Where its end is told, beside the endpoints of its account. */
  webhookUrl?: string | undefined
  /** What is kept of it in Postgres, if anything: the job, and for how long its result. */
  kept: { job: string; keepMs: number } | undefined
  idempotency: IdempotencyKey | undefined
}

/** `digest` tells one request from another. */
export type IdempotencyKey = { key: string; digest: Buffer }

/** `held`: the idempotency key belongs to another completion, which was asked the same or not. */
export type AdmissionVerdict = ReserveVerdict | { kind: 'held'; by: CompletionId; isSame: boolean }

type AdmittedRow = AppliedRow & { holder?: (string | null)[]; is_same?: boolean[] }

/** One statement for all of them: idempotency keys, reservations, completions and what is kept of those. */
export function admitStatement(
  admissions: readonly Admission[],
  options: { leaseMs: number; idempotencyMs: number },
): RawBuilder<AdmittedRow> {
  const operations = admissions.map(({ id, accountId, keyId, quote, least, priceId }): Operation => {
    return { kind: 'reserve', accountId, completionId: id, quote, least, keyId, priceId }
  })
  const ids = sql`${admissions.map(({ id }) => uuidOf(id))}::uuid[]`
  const accounts = sql`${admissions.map(({ accountId }) => uuidOf(accountId))}::uuid[]`
  const accepted = sql`array(select v = 0 from unnest(applied.verdict) with ordinality as each(v, n) order by n)`

  const inserted = sql`store.insert_completions(${accepted}, ${ids}, ${accounts},
    ${admissions.map(({ keyId }) => uuidOf(keyId))}::uuid[],
    ${admissions.map(({ model }) => model)}::text[],
    ${admissions.map(({ stream }) => stream)}::boolean[],
    ${admissions.map(({ deadlineAt }) => new Date(deadlineAt).toISOString())}::timestamptz[],
    ${admissions.map(({ background }) => background)}::boolean[],
    ${admissions.map(({ metadata }) => (metadata ? JSON.stringify(metadata) : null))}::jsonb[],
    ${admissions.map(({ batchDiscount = 0 }) => batchDiscount)}::smallint[],
    ${admissions.map(({ ofBatch = false }) => ofBatch)}::boolean[],
    ${admissions.map(({ webhookUrl = null }) => webhookUrl)}::text[])`
  const kept = admissions.some(({ kept }) => kept)
    ? sql`, store.keep_jobs(${accepted}, ${ids}, ${accounts},
        ${admissions.map(({ kept }) => kept?.job ?? null)}::text[],
        ${admissions.map(({ kept }) => kept?.keepMs ?? 0)}::bigint[])`
    : sql``

  const items = admissions.some(({ ofBatch }) => ofBatch)
    ? sql`, store.run_items(${accepted}, ${ids}, applied.figure)`
    : sql``

  if (!admissions.some(({ idempotency }) => idempotency)) {
    return sql<AdmittedRow>`
      select applied.verdict, applied.figure, applied.other, applied.version, ${inserted} ${kept} ${items}
      from ${applyCall(operations, options.leaseMs)} as applied`
  }
  const keys = sql`${admissions.map(({ idempotency }) => idempotency?.key ?? null)}::text[]`
  const digests = sql`${admissions.map(({ idempotency }) => idempotency?.digest ?? null)}::bytea[]`
  const isHeld = sql`array(select h is not null from unnest(claimed.holder) with ordinality as each(h, n) order by n)`
  const givenBack = sql`array(
    select case when v > 1 then k end from unnest(applied.verdict, ${keys}) with ordinality as each(v, k, n) order by n)`
  return sql<AdmittedRow>`
    select applied.verdict, applied.figure, applied.other, applied.version, claimed.holder, claimed.is_same,
      ${inserted}, store.unclaim_keys(${accounts}, ${givenBack}, ${ids}) ${kept} ${items}
    from store.claim_keys(${accounts}, ${keys}, ${digests}, ${ids},
        ${options.idempotencyMs}::float8 * interval '1 ms') as claimed,
      lateral ${applyCall(operations, options.leaseMs, isHeld)} as applied`
}

export function admissionVerdictAt(row: AdmittedRow, i: number): AdmissionVerdict {
  const holder = row.holder?.[i]
  if (holder) return { kind: 'held', by: completionIdOf(holder), isSame: row.is_same![i]! }
  return reserveVerdictAt(row, i)
}
