import type { CompletionId } from '@weir/contracts'
import { type CancelDeps, cancel } from '@weir/completions'
import type { Relay, Replies } from '@weir/relay'

/** What becomes of completions whose clients went away. */
export type Departures = AsyncDisposable & {
  /** Cancels unless somebody else waits for it, or it needs nobody to. */
  cancelNow(id: CompletionId): Promise<void>
  /** The same after the grace, in which the client may come back. */
  cancelLater(id: CompletionId): void
}

export type DeparturesDeps = CancelDeps & {
  relay: Pick<Relay, 'detach'>
  replies: Pick<Replies, 'channel' | 'isWatched'>
  graceMs: number
  onError: (error: unknown) => void
}

export function createDepartures(deps: DeparturesDeps): Departures {
  const waiting = new Map<CompletionId, NodeJS.Timeout>()

  // What cannot be cancelled now is noticed by its worker, or runs to its end.
  async function cancelNow(id: CompletionId) {
    try {
      await leave(id)
      await cancel(deps, id, { unlessAttended: true })
    } catch (error) {
      deps.onError(error)
    }
  }

  /** This replica listens no more, unless for another client. */
  async function leave(id: CompletionId) {
    if (!deps.replies.isWatched(id)) await deps.relay.detach(id, deps.replies.channel)
  }

  return {
    cancelNow,
    cancelLater(id) {
      leave(id).catch(deps.onError)
      clearTimeout(waiting.get(id))
      const timer = setTimeout(() => {
        waiting.delete(id)
        void cancelNow(id)
      }, deps.graceMs)
      waiting.set(id, timer)
    },
    async [Symbol.asyncDispose]() {
      // This replica will not be here when the grace ends: workers cancel what nobody comes back to.
      for (const timer of waiting.values()) clearTimeout(timer)
    },
  }
}
