import { type CompletionJob, ServiceError, lightened, mintedAt } from '@weir/contracts'
import type { Lane } from '@weir/queue'
import type { Relay } from '@weir/relay'
import { type FinishDeps, conclude, settle } from './finish.ts'
import { lostOutcome } from './outcomes.ts'
import { takeBack } from './take-back.ts'
import { type HoldPlaceDeps, holdPlace } from './take-place.ts'

export type HandOverDeps = FinishDeps & HoldPlaceDeps & { relay: Pick<Relay, 'submit'>; lane: Pick<Lane, 'enqueue'> }

/**
 * Gives an accepted completion to the workers, with the channel of the replica that waits, if one does. One that Redis lost
 * is given again: later than the first time, so that whatever is left of earlier attempts is shut out.
 */
export async function submit(
  deps: HandOverDeps,
  job: CompletionJob,
  { replyTo, again = false }: { replyTo: string | undefined; again?: boolean },
): Promise<void> {
  const submission = again ? Math.max(1, Date.now() - mintedAt(job.id)) : 0
  // One connection, in this order and without waiting: no worker can see the job before its state.
  await Promise.all([
    job.ofBatch ? undefined : holdPlace(deps, job),
    deps.relay.submit(lightened(job), replyTo, submission),
    deps.lane.enqueue(job.id),
  ])
}

/** The first submission. When Redis cannot take it the reservation is released, and the error thrown on. */
export async function handOver(deps: HandOverDeps, job: CompletionJob, replyTo: string | undefined): Promise<void> {
  try {
    await submit(deps, job, { replyTo })
  } catch (error) {
    // Postgres decides: Redis may have taken it after all, and a worker may have ended it meanwhile.
    const ended = await settle(deps, job, lostOutcome()).catch(() => undefined)
    if (!ended) {
      void takeBack(deps, job)
      throw unknownWhether(job)
    }
    // Told to Redis in case a worker has it there; what fails here is left to the reconciler.
    void conclude(deps, job, ended).catch(() => {})
    const ranMeanwhile = ended.cost > 0n
    if (!ranMeanwhile) throw error
  }
}

/** Nobody can tell at the moment: asking again could pay twice, so nobody is invited to. */
export const unknownWhether = ({ id }: Pick<CompletionJob, 'id'>) =>
  new ServiceError(
    'wait_exceeded',
    `Whether the completion has begun is not known at the moment. Ask for it at GET /v1/chat/completions/${id} before you ask again.`,
    { extra: { completion_id: id } },
  )
