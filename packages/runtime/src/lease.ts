import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

export type Lease = AsyncDisposable & {
  /** Takes the lease or keeps it for another `ttlMs`; false while another process has it. */
  hold(): Promise<boolean>
}

const holdScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`
const releaseScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/**
 * Lets one process at a time do a thing that is safe, but a waste, when two do it: a lease may lapse while its holder still
 * works. It is given back on disposal.
 */
export function createLease(redis: Redis, key: string, ttlMs: number): Lease {
  const holder = randomUUID()
  return {
    hold: async () => (await redis.eval(holdScript, 1, key, holder, ttlMs)) === 1,
    async [Symbol.asyncDispose]() {
      // A Redis that is away lets it lapse.
      await redis.eval(releaseScript, 1, key, holder).catch(() => {})
    },
  }
}
