import type { CompletionJob, Outcome } from '@weir/contracts'
import type { Frame, Replies } from '@weir/relay'
import { type HandOverDeps, handOver, submit } from './hand-over.ts'
import { settleDecided } from './finish.ts'
import { type InterruptDeps, interrupt } from './interrupt.ts'
import { abandonedOutcome } from './outcomes.ts'
import { type StoredDeps, endOf } from './stored.ts'

export type FollowDeps = HandOverDeps & InterruptDeps & StoredDeps & { replies: Pick<Replies, 'watch' | 'channel'> }

/** `stored`: it ended, and Redis has forgotten it; its outcome holds the whole text. */
export type FollowEvent =
  | { kind: 'handed_over' }
  | { kind: 'frame'; frame: Frame }
  | { kind: 'end' | 'stored'; outcome: Outcome }

/** Redis may forget a completion, restarted without its data; so often it is handed over again. */
const MAX_SUBMISSIONS = 5

/**
 * Hands an accepted completion over and follows it to its end, which is always told unless `signal` aborts. The first
 * event says that it was handed over; what cannot be handed over throws instead, with nothing reserved any more. Where
 * `signal` has aborted before, it is ended at once and nothing is told.
 */
export async function* follow(
  deps: FollowDeps,
  job: CompletionJob,
  signal: AbortSignal,
): AsyncGenerator<FollowEvent, void> {
  // Gone while it was being admitted: nobody has its id to come back with, so no worker begins with it.
  if (signal.aborted) return void (await settleDecided(deps, job, abandonedOutcome()))

  // Listening begins before anybody can speak.
  using watch = deps.replies.watch(job.id)
  await handOver(deps, job, deps.replies.channel)
  yield { kind: 'handed_over' }

  let submissions = 1
  let seen = false
  for await (const event of watch.events(signal)) {
    switch (event.kind) {
      case 'frame':
        seen = true
        yield event
        break
      case 'end':
        return yield event
      case 'lost': {
        // It may have ended before it was lost: then it must not run again.
        const ended = await endOf(deps, job).catch(deps.onError)
        if (!ended) break
        if (ended.kind === 'stored' && !seen) return yield ended
        // Whoever has seen text cannot be given another; whoever has not will never know.
        if (ended.kind !== 'open' || seen || submissions === MAX_SUBMISSIONS)
          return yield { kind: 'end', outcome: await interrupt(deps, job) }
        await submit(deps, job, { replyTo: deps.replies.channel, again: true }).then(() => submissions++, deps.onError)
        break
      }
      case 'gap':
        return yield { kind: 'end', outcome: await interrupt(deps, job) }
    }
  }
}
