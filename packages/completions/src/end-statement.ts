import { type AccountId, type CompletionId, type Outcome, encodeOutcome, uuidOf } from '@weir/contracts'
import { type AppliedRow, type Operation, applyCall } from '@weir/ledger'
import { type RawBuilder, sql } from 'kysely'

/** A completion that has ended: its settlement, its row and what is kept of it are written together or not at all. */
export type Ending = {
  id: CompletionId
  accountId: AccountId
  outcome: Outcome
  /** Whether its result may have to be kept. Where that is not known, it may. */
  isKept?: boolean | undefined
  /** Whether its request lies in Postgres for its size; where it is not kept it goes. */
  isLarge?: boolean | undefined
}

export function endStatement(endings: readonly Ending[]): RawBuilder<AppliedRow> {
  const operations = endings.map(endOperation)
  const outcomes = endings.map(({ outcome }) => outcome)
  // Without its reservation a completion is not ended: no row has the id null.
  const ids = sql`array(
    select case when v <> 3 then id end
    from unnest(applied.verdict, ${endings.map(({ id }) => uuidOf(id))}::uuid[]) with ordinality as each(v, id, n) order by n)`
  const kept = endings.filter(({ isKept = true }) => isKept)
  const keptOutcomes =
    kept.length > 0
      ? sql`, store.keep_outcomes(
        ${kept.map(({ id }) => uuidOf(id))}::uuid[], ${kept.map(({ outcome }) => encodeOutcome(outcome))}::text[])`
      : sql``
  const gone = endings.filter(({ isKept, isLarge }) => isLarge && isKept === false)
  const forgotten =
    gone.length > 0
      ? sql`with forgotten as (
          delete from store.kept_completion where id = any(${gone.map(({ id }) => uuidOf(id))}::uuid[]))`
      : sql``

  return sql<AppliedRow>`
    ${forgotten} select applied.verdict, applied.figure, applied.other, applied.version, store.end_completions(
      ${ids},
      ${outcomes.map(({ state }) => state)}::text[],
      ${outcomes.map(({ servedBy }) => servedBy ?? null)}::text[],
      ${outcomes.map(({ error }) => error?.code ?? null)}::text[],
      ${outcomes.map(({ usage }) => usage.inputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.cachedInputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.cacheWriteTokens ?? 0)}::bigint[],
      ${outcomes.map(({ usage }) => usage.outputTokens)}::bigint[],
      ${outcomes.map(({ usage }) => usage.reasoningTokens ?? 0)}::bigint[],
      ${outcomes.map(({ usage }) => usage.images ?? 0)}::bigint[],
      ${outcomes.map(({ usage }) => usage.source)}::text[],
      applied.figure,
      ${outcomes.map(({ attempts }) => attempts?.at(-1)?.attempt ?? null)}::smallint[],
      ${outcomes.map(({ clampedTo }) => clampedTo ?? null)}::int[],
      applied.decided_at,
      ${outcomes.map(({ attempts }) => (attempts ? JSON.stringify(attempts) : null))}::jsonb[]) ${keptOutcomes}
    from ${applyCall(operations, 0)} as applied`
}

function endOperation({ id, accountId, outcome }: Ending): Operation {
  const { state, cost } = outcome
  if (cost > 0n || state === 'completed') return { kind: 'settle', accountId, completionId: id, cost }
  return { kind: state === 'expired' ? 'expire' : 'release', accountId, completionId: id }
}
