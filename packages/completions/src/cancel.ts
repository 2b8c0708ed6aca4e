import type { AccountId, CompletionId } from '@weir/contracts'
import type { Cancelled, Relay } from '@weir/relay'
import { type FinishDeps, settleDecided } from './finish.ts'
import { abandonedOutcome, expiredOutcome } from './outcomes.ts'

export type CancelDeps = FinishDeps & { relay: Pick<Relay, 'cancel'> }

/**
 * Stops a completion. One that no worker has claimed ends here, for free, as expired if its deadline has passed; a running
 * one is told and ends by itself, charged for what it used; one that has ended stays as it is. With `unlessAttended` one that somebody waits for, or that needs
 * nobody to, is left alone.
 */
export async function cancel(
  deps: CancelDeps,
  id: CompletionId,
  options: { unlessAttended?: boolean } = {},
): Promise<Cancelled['kind']> {
  const cancelled = await deps.relay.cancel(id, abandonedOutcome(), { ...options, expired: expiredOutcome() })
  if (cancelled.kind === 'decided') {
    const { job, before, outcome } = cancelled
    await settleDecided(deps, job, before.length > 0 ? { ...outcome, attempts: before } : outcome)
  }
  return cancelled.kind
}

/** Ends one that Redis does not know. Should somebody hand it over again at this moment, its answer costs nothing. */
export async function cancelLost(deps: FinishDeps, accountId: AccountId, id: CompletionId): Promise<void> {
  await settleDecided(deps, { id, accountId, ofBatch: true }, abandonedOutcome())
}
