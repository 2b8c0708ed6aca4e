import type { CompletionId } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { type FinishDeps, settleDecided } from './finish.ts'
import { abandonedOutcome } from './outcomes.ts'

export type CancelDeps = FinishDeps & { relay: Pick<Relay, 'cancel'> }

/**
 * Stops a completion nobody waits for any more. One that no worker has claimed ends here, for free; a running one is told
 * and ends by itself, charged for what it generated; one that has ended stays as it is.
 */
export async function cancel(deps: CancelDeps, id: CompletionId): Promise<void> {
  const outcome = abandonedOutcome()
  const cancelled = await deps.relay.cancel(id, outcome)
  if (cancelled.kind === 'decided') await settleDecided(deps, cancelled.job, outcome)
}
