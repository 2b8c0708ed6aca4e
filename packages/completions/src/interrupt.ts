import type { AccountId, CompletionId, CompletionJob, Outcome } from '@weir/contracts'
import type { Ledger } from '@weir/ledger'
import type { Relay } from '@weir/relay'
import { type FinishDeps, settleDecided } from './finish.ts'
import { interruptedOutcome } from './outcomes.ts'
import { cutOff } from './stored.ts'

export type InterruptDeps = FinishDeps & {
  relay: Pick<Relay, 'cancel'>
  ledger: Pick<Ledger, 'amend'>
  onError: (error: unknown) => void
}

/**
 * What a client is told whose answer we have lost: that it costs nothing. So it is made to: ended for free, or, where it had
 * been settled before its answer was lost, given back. Throws for one that needs nobody to wait for it: it
 * goes on, and can be asked for.
 */
export async function interrupt(deps: InterruptDeps, job: CompletionJob): Promise<Outcome> {
  if (!job.attended) throw cutOff()
  const outcome = interruptedOutcome()
  const { cost } = await settleDecided(deps, job, outcome)
  if (cost > 0n) await giveBack(deps, job)
  // Whoever still runs it stops at once rather than at its next look.
  deps.relay.cancel(job.id, outcome).catch(deps.onError)
  return outcome
}

async function giveBack(
  deps: InterruptDeps,
  { id, accountId }: { id: CompletionId; accountId: AccountId },
): Promise<void> {
  const reason = 'Its answer was lost on our side before it was delivered.'
  const reference = `lost:${id}`
  await deps.ledger.amend([{ op: 'refund', accountId, completionId: id, actor: 'weir', reason, reference }])
}
