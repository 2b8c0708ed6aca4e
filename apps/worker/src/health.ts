import type { Consumer } from '@weir/queue'
import type { DependencyWatch, Probes } from '@weir/runtime'

export type Health = Probes & {
  begin(): void
  drain(): void
  /** From now on this consumer has to keep asking for jobs. */
  watch(consumer: Pick<Consumer, 'silentMs'>): void
}

/** Asking takes five seconds on an idle lane, and fifteen where it has failed. */
const MOST_SILENT_MS = 60_000

/**
 * Liveness: the process turns and, with room for one more job, asks for it. A consumer may hang on a connection that is dead
 * without a word, for ever; it counts only while Redis answers on another one, so that an outage restarts nobody.
 * Readiness: connected, and neither starting nor draining. Nobody routes by it; rollouts wait for it.
 */
export function createHealth(deps: {
  dependencies: Pick<DependencyWatch, 'awayMs' | 'answeringMs'>
  unreadyAfterMs: number
}): Health {
  const { dependencies } = deps
  let phase: 'starting' | 'ok' | 'draining' = 'starting'
  let consumer: Pick<Consumer, 'silentMs'> | undefined

  return {
    begin: () => void (phase = 'ok'),
    drain: () => void (phase = 'draining'),
    watch: (one) => void (consumer = one),
    live() {
      const silentMs = Math.min(consumer?.silentMs() ?? 0, dependencies.answeringMs('redis'))
      return silentMs > MOST_SILENT_MS ? 'asks for no jobs' : 'ok'
    },
    ready() {
      if (phase === 'ok' && dependencies.awayMs() > deps.unreadyAfterMs) return 'a dependency is away'
      return phase
    },
  }
}
