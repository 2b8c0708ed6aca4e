import { type AccountId, type CompletionId, ServiceError } from '@weir/contracts'
import type { Relay, Replies } from '@weir/relay'
import { isDependencyError } from '@weir/runtime'
import type { FollowEvent } from './follow.ts'
import { type StoredDeps, cutOff, endOf } from './stored.ts'

export type RejoinDeps = StoredDeps & {
  replies: Pick<Replies, 'watch' | 'channel'>
  relay: Pick<Relay, 'attach'>
  onError: (error: unknown) => void
}

type Accepted = { accountId: AccountId; id: CompletionId }

/**
 * Follows a completion that was accepted before, by any replica, from its first frame to its end. One that Redis does not
 * know is looked for in Postgres: it may be about to be handed over, or have ended long ago. Throws `stream_expired` when
 * nothing is left of what it said, or when that cannot be continued.
 */
export async function* rejoin(
  deps: RejoinDeps,
  completion: Accepted,
  signal: AbortSignal,
): AsyncGenerator<Exclude<FollowEvent, { kind: 'handed_over' }>, void> {
  const { id } = completion
  using watch = deps.replies.watch(id, { joins: true })
  await deps.relay.attach(id, deps.replies.channel)

  let seen = false
  for await (const event of watch.events(signal)) {
    switch (event.kind) {
      case 'frame':
        seen = true
        yield event
        break
      case 'end':
        return yield event
      case 'gap':
        throw cutOff()
      case 'lost': {
        const ended = await lookForLost(deps, completion)
        if (!ended) break
        if (ended.kind === 'stored' && !seen) return yield ended
        throw cutOff()
      }
    }
  }
}

/** One that has not ended is handed over again by somebody. Then this replica must hear of it. */
async function lookForLost(deps: RejoinDeps, completion: Accepted) {
  try {
    const ended = await endOf(deps, completion)
    if (ended.kind !== 'open') return storedOrThrow(ended, completion)
    await deps.relay.attach(completion.id, deps.replies.channel)
  } catch (error) {
    if (!isDependencyError(error)) throw error
    deps.onError(error)
  }
  return undefined
}

/** Throws where nothing is left to be shown. */
export function storedOrThrow(ended: Awaited<ReturnType<typeof endOf>>, { id }: Pick<Accepted, 'id'>) {
  switch (ended.kind) {
    case 'missing':
      throw new ServiceError('not_found', `There is no completion ${id}.`, { param: 'id' })
    case 'forgotten':
      throw new ServiceError('stream_expired', 'What this completion said is no longer kept.', { param: 'id' })
    default:
      return ended
  }
}
