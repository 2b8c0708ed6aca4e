import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { Redis } from './redis.ts'
import { repeat } from './repeat.ts'

/** What a process asks its dependencies to see whether they answer. */
export const checksOf = (db: Database, redis: Redis) => ({
  postgres: () => sql`select 1`.execute(db),
  redis: () => redis.ping(),
})

export type DependencyWatch = AsyncDisposable & {
  /** Whether each of them answered the last time it was asked. */
  states(): Record<string, 'ok' | 'unreachable'>
  /** How long the one that has been away the longest has been, in milliseconds; 0 when all answer. */
  awayMs(): number
  /** How long this one has answered without a break, in milliseconds; 0 when it is away. */
  answeringMs(name: string): number
}

const ASKED_EVERY_MS = 1_000

/**
 * Asks each dependency again and again, so that a probe is answered at once whatever hangs, and from how long something
 * has been away rather than from one unlucky look. `checks` resolve when it answers, and reject in bounded time if not.
 */
export function watchDependencies(
  checks: Record<string, () => Promise<unknown>>,
  { intervalMs = ASKED_EVERY_MS }: { intervalMs?: number } = {},
): DependencyWatch {
  const watched = Object.entries(checks).map(([name, check]) => {
    // We have just connected to all of them.
    const dependency = { name, away: false, since: performance.now() }
    const turn = (away: boolean) => {
      if (dependency.away !== away) Object.assign(dependency, { away, since: performance.now() })
    }
    const ask = () => check().then(() => turn(false))
    return { dependency, asking: repeat(intervalMs, ask, () => turn(true)) }
  })
  const all = watched.map(({ dependency }) => dependency)

  return {
    states: () => Object.fromEntries(all.map(({ name, away }) => [name, away ? 'unreachable' : 'ok'])),
    awayMs: () => Math.max(0, ...all.filter(({ away }) => away).map(({ since }) => performance.now() - since)),
    answeringMs(wanted) {
      const found = all.find(({ name, away }) => name === wanted && !away)
      return found ? performance.now() - found.since : 0
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(watched.map(({ asking }) => asking[Symbol.asyncDispose]()))
    },
  }
}
