import { randomUUID } from 'node:crypto'
import type { Backend } from './backend.ts'
import type { Slots } from './slots.ts'

/**
 * A backend that takes no more than `limit` calls at once, over all workers. A call first waits for its slot, for as
 * long as its signal allows, and holds it until its answer ends.
 */
export function withSlots(backend: Backend, slots: Omit<Slots, 'held'>, limit: number): Backend {
  return {
    name: backend.name,
    async *stream(request, target, signal) {
      const slot = { backend: backend.name, attempt: randomUUID() }
      let renewal: NodeJS.Timeout | undefined
      try {
        await slots.acquire({ ...slot, limit }, signal)
        // A renewal that fails is left to the next one: with Redis away for long the leases lapse and a few calls too
        // many may run, which the backend can refuse; ending calls that are paid for would be worse.
        renewal = setInterval(() => void slots.renew(slot).catch(() => {}), slots.renewEveryMs)
        yield* backend.stream(request, target, signal)
      } finally {
        clearInterval(renewal)
        // Also after a failed `acquire`, which Redis may have granted unheard. Should it not hear this either, the
        // lease ends by itself; the answer is whole all the same.
        await slots.release(slot).catch(() => {})
      }
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}
