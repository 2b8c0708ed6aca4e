import type { CompletionId } from '@weir/contracts'
import { type CancelDeps, cancel } from '@weir/completions'

/** What becomes of completions whose clients went away. */
export type Departures = AsyncDisposable & {
  cancelNow(id: CompletionId): Promise<void>
  /** Cancels after the grace, in which the client may come back. */
  cancelLater(id: CompletionId): void
}

export function createDepartures(
  deps: CancelDeps & { graceMs: number; onError: (error: unknown) => void },
): Departures {
  const waiting = new Map<CompletionId, NodeJS.Timeout>()

  // What cannot be cancelled now runs to its end or its deadline.
  const cancelNow = (id: CompletionId) => cancel(deps, id).catch(deps.onError)

  return {
    cancelNow,
    cancelLater(id) {
      const timer = setTimeout(() => {
        waiting.delete(id)
        void cancelNow(id)
      }, deps.graceMs)
      waiting.set(id, timer)
    },
    async [Symbol.asyncDispose]() {
      // This replica will not be here when the grace ends.
      await Promise.all(
        [...waiting].map(([id, timer]) => {
          clearTimeout(timer)
          return cancelNow(id)
        }),
      )
    },
  }
}
