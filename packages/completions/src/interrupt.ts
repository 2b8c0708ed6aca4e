import type { CompletionJob, Outcome } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { type FinishDeps, conclude, settle } from './finish.ts'
import { interruptedOutcome } from './outcomes.ts'
import { cutOff } from './stored.ts'

export type InterruptDeps = FinishDeps & {
  relay: Pick<Relay, 'cancel'>
  onError: (error: unknown) => void
}

/**
 * What a client is told that has lost its place in an answer: that it costs nothing. So it is made to, if it can be: what had
 * been settled before stays settled, whoever is to blame, for a reader may fall behind, or delete what it follows, at will.
 * Throws then, and for one that needs nobody to wait for it: it goes on, and can be asked for.
 */
export async function interrupt(deps: InterruptDeps, job: CompletionJob): Promise<Outcome> {
  if (!job.attended) throw cutOff()
  const outcome = interruptedOutcome()
  // Where Postgres does not answer, nobody knows: then nothing is promised.
  const ended = await settle(deps, job, outcome).catch(deps.onError)
  if (!ended || ended.cost > 0n) throw cutOff()
  // Whoever still runs it stops at once rather than at its next look.
  deps.relay.cancel(job.id, outcome).catch(deps.onError)
  conclude(deps, job, outcome).catch(deps.onError)
  return outcome
}
