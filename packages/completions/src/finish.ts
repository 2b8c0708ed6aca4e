import type { AccountId, CompletionId, Outcome } from '@weir/contracts'
import type { Admission as AdmissionControl } from '@weir/queue'
import type { Relay } from '@weir/relay'
import type { Endings } from './commits.ts'

export type FinishDeps = {
  endings: Endings
  relay: Pick<Relay, 'prepare' | 'conclude'>
  admission: Pick<AdmissionControl, 'leave'>
}

type Ended = { id: CompletionId; accountId: AccountId }

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
export async function settleDecided(deps: FinishDeps, { id, accountId }: Ended, decided: Outcome): Promise<Outcome> {
  const verdict = await deps.endings.submit({ id, accountId, outcome: decided })
  const charged = verdict.kind === 'not_found' ? 0n : verdict.charged
  const outcome = { ...decided, cost: charged }
  await Promise.all([deps.relay.conclude(id, outcome), deps.admission.leave(accountId, id)])
  return outcome
}
