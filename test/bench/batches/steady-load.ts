import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { type Answer, asker, type Destination, timeouts } from '../load.ts'
import type { Workload } from '../workload.ts'

export type Call = Answer & { model: string }

/** More than these are never under way at once: a service that has stopped answering shows as errors, not as a flood. */
const MOST_AT_ONCE = 256

/**
 * Plain calls at a steady rate, to each of the models in turn, until it is disposed of. Whoever waits delays nobody who comes
 * after, so a service that stalls for a second is seen by all who came in that second.
 */
export function steadyLoad(
  { origins, headers }: Destination,
  { perSecond, models, text }: { perSecond: number; models: readonly string[]; text: string },
  onAnswer: (call: Call, asked: { during: string }) => void,
  during: () => string,
): AsyncDisposable {
  const pools = origins.map((origin) => new Pool(origin, { connections: MOST_AT_ONCE, ...timeouts }))
  const asks = pools.flatMap((pool) =>
    models.map((model) => {
      const workload: Workload = { mode: 'plain', connections: 1, text, model }
      return { model, ask: asker(pool, { headers }, workload) }
    }),
  )
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()

  async function askOnce(at: number): Promise<void> {
    const { model, ask } = asks[at % asks.length]!
    const asked = { during: during() }
    const answer = underWay.size > MOST_AT_ONCE ? missed : await ask()
    onAnswer({ ...answer, model }, asked)
  }

  async function run(): Promise<void> {
    const beganAt = performance.now()
    for (let at = 0; !stopping.signal.aborted; at++) {
      const dueIn = beganAt + (at * 1_000) / perSecond - performance.now()
      if (dueIn > 0) await pause(dueIn, undefined, { signal: stopping.signal }).catch(() => {})
      const call = askOnce(at)
      underWay.add(call)
      void call.finally(() => underWay.delete(call))
    }
  }
  const running = run()

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
      await Promise.all(underWay)
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}

const missed: Answer = { complete: false, latencyMs: 0, firstTokenMs: undefined }
