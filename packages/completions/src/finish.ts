import { type AccountId, type CompletionId, type Outcome, decodeOutcome } from '@weir/contracts'
import type { Admission as AdmissionControl } from '@weir/queue'
import type { Relay } from '@weir/relay'
import type { KeptCompletions } from '@weir/store'
import type { Endings } from './commits.ts'
import { usedTokens } from './rate-tokens.ts'

export type FinishDeps = {
  endings: Endings
  relay: Pick<Relay, 'prepare' | 'conclude'>
  admission: Pick<AdmissionControl, 'leave'>
  keptCompletions: Pick<KeptCompletions, 'outcomeOf'>
}

/** Its result is read from Postgres. Redis remembers only that it has ended, for those who are late to hand it over. */
const LINE_RETENTION_MS = 15_000

/** `ofBatch`: it is a line of a batch, or may be one. */
type Ended = {
  id: CompletionId
  accountId: AccountId
  kept?: boolean
  large?: boolean | undefined
  ofBatch?: boolean | undefined
}

/**
 * Ends a completion: decide, settle, conclude. The decision is made once, in Redis, so whoever dies between the steps is
 * followed by somebody who settles the same amount. Undefined when this attempt may not decide any more.
 */
export async function finish(
  deps: FinishDeps,
  completion: Ended & { epoch: number },
  outcome: Outcome,
): Promise<Outcome | undefined> {
  const decided = await deps.relay.prepare(completion.id, completion.epoch, outcome)
  return decided && settleDecided(deps, completion, decided)
}

/** The steps after the decision; repeating them changes nothing. The returned outcome says what the ledger charged. */
export async function settleDecided(deps: FinishDeps, completion: Ended, decided: Outcome): Promise<Outcome> {
  const outcome = await settle(deps, completion, decided)
  await conclude(deps, completion, outcome)
  return outcome
}

/** Settles in Postgres alone. */
export async function settle(deps: FinishDeps, completion: Ended, decided: Outcome): Promise<Outcome> {
  const { id, accountId, kept, large, ofBatch = false } = completion
  const verdict = await deps.endings.submit({ id, accountId, outcome: decided, isKept: kept, isLarge: large, ofBatch })
  const cost = verdict.kind === 'not_found' ? 0n : verdict.charged
  // Where Redis has lost an earlier decision, the one that was settled stands, with its answer, if that was kept.
  const settled =
    verdict.kind === 'already_closed' && kept !== false ? await settledOutcome(deps, completion) : undefined
  return { ...(settled ?? decided), cost }
}

/** Tells Redis, and whoever waits there, what was settled. */
export async function conclude(
  { relay, admission }: FinishDeps,
  { id, accountId, ofBatch }: Ended,
  outcome: Outcome,
): Promise<void> {
  // It has taken no place.
  if (ofBatch) return relay.conclude(id, outcome, LINE_RETENTION_MS)
  await Promise.all([relay.conclude(id, outcome), admission.leave(accountId, id, usedTokens(outcome.usage))])
}

async function settledOutcome({ keptCompletions }: FinishDeps, { id, accountId }: Ended): Promise<Outcome | undefined> {
  const text = await keptCompletions.outcomeOf(accountId, id)
  return text === undefined ? undefined : decodeOutcome(text)
}
