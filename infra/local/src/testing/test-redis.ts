import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { inject } from 'vitest'
import './provided.ts'

export type TestRedis = AsyncDisposable & { url: string; prefix: string }

/** The Redis of this run and a key prefix that nobody else uses; its keys are deleted when disposed. */
export async function openTestRedis(): Promise<TestRedis> {
  const url = inject('redisUrl')
  const prefix = `test-${randomBytes(6).toString('hex')}`
  return { url, prefix, [Symbol.asyncDispose]: () => deleteKeys(url, prefix) }
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: (times) => (times < 10 ? 200 : null) })
  redis.on('error', () => {})
  try {
    // The prefix may stand in a cluster's hash tag, behind a brace.
    for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]))
    }
  } finally {
    redis.disconnect()
  }
}
