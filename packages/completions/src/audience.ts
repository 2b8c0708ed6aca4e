import type { Presence } from '@weir/relay'

/** Who listens to what a worker runs. */
export type Audience = {
  /** Whether somebody may be listening on one of these channels: looked up where it is not known from a moment ago. */
  mayHear(channels: readonly string[]): Promise<boolean>
  /** Looks at all these replicas anew. */
  look(channels: readonly string[]): Promise<void>
}

/** What was known a moment ago will do: replicas die seldom. */
const FRESH_MS = 1_000

export function createAudience(presence: Presence): Audience {
  let lookedAt = new Map<string, number>()

  async function look(channels: readonly string[]) {
    await presence.look(channels)
    lookedAt = new Map(channels.map((channel) => [channel, performance.now()]))
  }

  return {
    look,
    async mayHear(channels) {
      // Nobody at all: whoever left may come back, and is given time elsewhere.
      if (channels.length === 0) return true
      const isFresh = (channel: string) => performance.now() - (lookedAt.get(channel) ?? -Infinity) < FRESH_MS
      if (!channels.every(isFresh)) await look([...new Set([...lookedAt.keys(), ...channels])])
      return presence.mayHear(channels)
    },
  }
}
