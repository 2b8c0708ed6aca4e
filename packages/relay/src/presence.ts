import { type Redis, repeat } from '@weir/runtime'

/** A replica that has not said for so long that it is there is taken for dead. */
const PRESENCE_MS = 6_000
const SAY_EVERY_MS = 2_000

/** A Redis that was emptied knows of no replica until each has said again that it is there. */
const MISSING_MS = 5_000

const keyOf = (channel: string): string => `${channel}:present`

/** Says again and again that the replica of this channel is there. */
export function sayPresent(redis: Redis, channel: string, onError: (error: unknown) => void): AsyncDisposable {
  const say = async () => void (await redis.set(keyOf(channel), 1, 'PX', PRESENCE_MS))
  return repeat(SAY_EVERY_MS, say, onError)
}

/** Which replicas are there. */
export type Presence = {
  /** Learns it anew for these, in one round trip. */
  look(channels: readonly string[]): Promise<void>
  /** Whether one of them may be there: false only when every look of the last seconds has missed all of them. */
  mayHear(channels: readonly string[]): boolean
}

/**
 * What a worker knows of the replicas that wait for its completions. A replica is not given up at the first look that misses
 * it: Redis may just have lost what it said.
 */
export function createPresence(redis: Redis, now: () => number = () => performance.now()): Presence {
  const missingSince = new Map<string, number>()

  async function look(channels: readonly string[]) {
    const watched = new Set([...channels, ...missingSince.keys()])
    const present = await Promise.all([...watched].map((channel) => redis.exists(keyOf(channel))))
    for (const [i, channel] of [...watched].entries()) {
      if (present[i]) missingSince.delete(channel)
      else if (!missingSince.has(channel)) missingSince.set(channel, now())
    }
    forgetOldest()
  }

  /** A replica never comes back under its name. */
  function forgetOldest() {
    for (const channel of missingSince.keys()) {
      if (missingSince.size <= MOST_MISSING) return
      missingSince.delete(channel)
    }
  }

  const isGone = (channel: string) => now() - (missingSince.get(channel) ?? Infinity) >= MISSING_MS

  return { look, mayHear: (channels) => channels.some((channel) => !isGone(channel)) }
}

const MOST_MISSING = 100
