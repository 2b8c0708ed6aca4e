import {
  type AccountId,
  type CompletionId,
  type Outcome,
  encodeOutcome,
  errors,
  generatedTokens,
  promptTokens,
  uuidOf,
} from '@weir/contracts'
import { type AppliedRow, type Operation, applyCall } from '@weir/ledger'
import { storableJson } from '@weir/store'
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
  /** Whether it is a line of a batch. Where that is not known, it may be. */
  ofBatch?: boolean | undefined
}

export function endStatement(endings: readonly Ending[]): RawBuilder<AppliedRow> {
  const operations = endings.map(endOperation)
  const outcomes = endings.map(({ outcome }) => outcome)
  // Without its reservation a completion is not ended: no row has the id null.
  const unlessLost = (ids: (string | null)[]) => sql`array(
    select case when v <> 3 then id end
    from unnest(applied.verdict, ${ids}::uuid[]) with ordinality as each(v, id, n) order by n)`
  const ids = unlessLost(endings.map(({ id }) => uuidOf(id)))
  const kept = endings.filter(({ isKept = true }) => isKept)
  const keptOutcomes =
    kept.length > 0
      ? sql`, store.keep_outcomes(
        ${kept.map(({ id }) => uuidOf(id))}::uuid[], ${kept.map(({ outcome }) => encodeOutcome(outcome))}::text[])`
      : sql``
  // Before the rows are ended: it tells of what had not ended until now.
  const tellable = endings.map(({ id, isKept = true }) => (isKept ? uuidOf(id) : null))
  const told =
    kept.length > 0
      ? sql`store.emit_completion_events(${unlessLost(tellable)}, ${outcomes.map(({ state }) => state)}::text[]), `
      : sql``
  const gone = endings.filter(({ isKept, isLarge }) => isLarge && isKept === false)
  const forgotten =
    gone.length > 0
      ? sql`with forgotten as (
          delete from store.kept_completion where id = any(${gone.map(({ id }) => uuidOf(id))}::uuid[]))`
      : sql``

  return sql<AppliedRow>`
    ${forgotten} select applied.verdict, applied.figure, applied.other, applied.version, ${told} store.end_completions(
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
      ${outcomes.map(attemptLogOf)}::jsonb[]) ${keptOutcomes} ${endedItems(endings)}
    from ${applyCall(operations, 0)} as applied`
}

/** Lines of batches end with their completions, or are tried again, at what the ledger charged. */
function endedItems(endings: readonly Ending[]): RawBuilder<unknown> {
  if (!endings.some(({ ofBatch = true }) => ofBatch)) return sql``
  const outcomes = endings.map(({ outcome }) => outcome)
  return sql`, store.end_items(
    array(select case when v <> 3 then id end
      from unnest(applied.verdict, ${endings.map(({ id, ofBatch = true }) => (ofBatch ? uuidOf(id) : null))}::uuid[])
        with ordinality as each(v, id, n) order by n),
    ${outcomes.map(({ state }) => state)}::text[],
    ${outcomes.map(mayRunAgain)}::boolean[],
    ${outcomes.map(({ error }) => (error ? storableJson({ code: error.code, message: error.message }) : null))}::jsonb[],
    applied.figure,
    ${outcomes.map(({ usage }) => promptTokens(usage))}::bigint[],
    ${outcomes.map(({ usage }) => usage.cachedInputTokens)}::bigint[],
    ${outcomes.map(({ usage }) => generatedTokens(usage))}::bigint[],
    ${outcomes.map(({ usage }) => usage.reasoningTokens ?? 0)}::bigint[])`
}

/** A line whose try failed through no fault of its own: by a backend's, by ours, or by waiting too long. */
const mayRunAgain = ({ state, error }: Outcome): boolean =>
  state === 'expired' ||
  (state === 'failed' && error !== undefined && (error.retryable ?? errors[error.code].retryable))

/** Why it failed is told with its last attempt, in the same words as to whoever waited, for longer than its result is kept. */
function attemptLogOf({ attempts, error }: Outcome): string | null {
  const last = attempts?.at(-1)
  if (!attempts || !last) return null
  return JSON.stringify(error ? [...attempts.slice(0, -1), { ...last, message: error.message }] : attempts)
}

function endOperation({ id, accountId, outcome }: Ending): Operation {
  const { state, cost } = outcome
  if (cost > 0n || state === 'completed') return { kind: 'settle', accountId, completionId: id, cost }
  return { kind: state === 'expired' ? 'expire' : 'release', accountId, completionId: id }
}
