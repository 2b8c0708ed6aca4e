const LONGEST_TIMER_MS = 2 ** 31 - 1

/** How long a call may still wait for its backend. */
export type Patience = {
  /** Starts over with this much patience; when it runs out, the call is given up with this error. */
  allow(ms: number, error: () => Error): void
  /** Awaits one step of the backend at the expense of the patience that is left. */
  wait<T>(step: () => Promise<T>): Promise<T>
}

/** Only time spent waiting for the backend counts: a reader who takes long over a chunk does not fail the backend. */
export function createPatience(giveUp: (error: Error) => void): Patience {
  let leftMs = LONGEST_TIMER_MS
  let errorWhenOut = () => new Error('out of patience')

  return {
    allow(ms, error) {
      leftMs = Math.min(ms, LONGEST_TIMER_MS)
      errorWhenOut = error
    },
    async wait(step) {
      const began = performance.now()
      const timer = setTimeout(() => giveUp(errorWhenOut()), Math.max(leftMs, 0))
      try {
        return await step()
      } finally {
        clearTimeout(timer)
        leftMs -= performance.now() - began
      }
    },
  }
}
