import { type Redis, repeat } from '@weir/runtime'

/**
 * Which quota groups a vendor has told to wait, over all workers. Asking costs nothing: every worker reads the whole of it
 * once a second, and knows at once what it was told itself.
 */
export type Quota = AsyncDisposable & {
  /** How much longer a group is closed, in milliseconds; 0 when it is open. */
  closedMs(group: string): number
  /** Closes a group for every worker. A later end counts. */
  close(group: string, forMs: number): void
  /** The groups that are closed, as known here. */
  closed(): Map<string, number>
}

const READ_EVERY_MS = 1_000
/** A vendor may name a day; somebody has to look again before. */
const LONGEST_MS = 300_000

const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

// One sorted set: a member for each closed group, scored with the time it opens again, by the clock of Redis.
const closeScript = `${now}
redis.call('ZADD', KEYS[1], 'GT', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${LONGEST_MS})
return 1`

const readScript = `${now}
local rows = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES')
for i = 2, #rows, 2 do rows[i] = rows[i] - now end
return rows`

const keyOf = (prefix: string): string => `${prefix}:quota`

/** The groups that are closed, and for how much longer. */
export async function readQuota(redis: Redis, prefix: string): Promise<Map<string, number>> {
  const rows = (await redis.eval(readScript, 1, keyOf(prefix))) as (string | number)[]
  const closed = new Map<string, number>()
  for (let i = 0; i < rows.length; i += 2) closed.set(String(rows[i]), Number(rows[i + 1]))
  return closed
}

/** Resolves once it knows what is closed, if Redis tells. */
export async function openQuota(redis: Redis, prefix: string, onError: (error: unknown) => void): Promise<Quota> {
  const until = new Map<string, number>()
  const note = (group: string, forMs: number) =>
    until.set(group, Math.max(until.get(group) ?? 0, performance.now() + forMs))
  const closedMs = (group: string) => Math.max(0, (until.get(group) ?? 0) - performance.now())

  async function read() {
    for (const [group, forMs] of await readQuota(redis, prefix)) note(group, forMs)
    for (const group of until.keys()) if (closedMs(group) === 0) until.delete(group)
  }
  await read().catch(onError)
  const reading = repeat(READ_EVERY_MS, read, onError, 'later')

  return {
    closedMs,
    close(group, forMs) {
      const bounded = Math.ceil(Math.min(forMs, LONGEST_MS))
      note(group, bounded)
      // The call that was refused goes elsewhere meanwhile. Should Redis not hear it, each worker is told by the vendor.
      redis.eval(closeScript, 1, keyOf(prefix), group, bounded).catch(onError)
    },
    closed: () =>
      new Map([...until.keys()].map((group) => [group, closedMs(group)] as const).filter(([, ms]) => ms > 0)),
    [Symbol.asyncDispose]: () => reading[Symbol.asyncDispose](),
  }
}
