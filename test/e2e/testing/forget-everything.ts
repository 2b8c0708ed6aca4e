import type { Weir } from '@weir/local/testing'
import { Redis } from 'ioredis'

/** As after a FLUSHALL, or a restart of a Redis that keeps nothing; what other tests have there stays. */
export async function forgetEverything({ redisUrl, redisPrefix }: Weir): Promise<void> {
  const redis = new Redis(redisUrl)
  for await (const keys of redis.scanStream({ match: `*${redisPrefix}*`, count: 1_000 }))
    if (keys.length > 0) await redis.unlink(...keys)
  redis.disconnect()
}
