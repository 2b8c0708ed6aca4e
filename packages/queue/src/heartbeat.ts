import { randomUUID } from 'node:crypto'
import { type Redis, repeat } from '@weir/runtime'
import type { LaneKeys } from './lane-keys.ts'
import { createWorkerReports } from './pace.ts'

const BEAT_MS = 1_000
/** How much the last completion weighs in the mean. */
const WEIGHT = 0.1

/** Tells the API, for as long as it lasts, how many slots a worker has and how long it is busy with a completion. */
export type Heartbeat = {
  /** A completion has kept a slot busy for so long. */
  took(ms: number): void
  /** The slots are gone at once, not only when silence tells. */
  stop(): void
}

export function startHeartbeat(options: {
  redis: Redis
  keys: LaneKeys
  slots: number
  onError: (error: Error) => void
}): Heartbeat {
  const reports = createWorkerReports(options.redis, options.keys)
  const worker = randomUUID()
  let meanMs: number | undefined
  let stopped = false

  // Never two at once: while Redis is away they would pile up.
  const beats = repeat(
    BEAT_MS,
    () => reports.announce(worker, { slots: options.slots, meanMs }),
    (error) => {
      // Its connection may be closed by then.
      if (!stopped) options.onError(error as Error)
    },
  )
  async function withdraw(): Promise<void> {
    await beats[Symbol.asyncDispose]()
    await reports.withdraw(worker)
  }

  return {
    took(ms) {
      meanMs = meanMs === undefined ? ms : meanMs + (ms - meanMs) * WEIGHT
    },
    stop() {
      stopped = true
      // Redis may be away, and would keep a worker from ending: its word ends by itself.
      withdraw().catch(() => {})
    },
  }
}
