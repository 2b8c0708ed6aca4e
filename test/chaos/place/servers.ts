import { mkdir } from 'node:fs/promises'
import { openRedis, type RunningServer } from '@weir/local'
import { type Crash, openOwnPostgres, openTempDir } from '@weir/local/testing'
import { Redis } from 'ioredis'

export type Servers = AsyncDisposable & {
  databaseUrl: string
  redisUrl: string
  /** Ends Postgres without a word; resolves when it has recovered and answers again. */
  restartPostgres(how: Crash, downMs: number): Promise<void>
  /** Ends Redis, by kill -9 or in good order; its append-only file stays. */
  restartRedis(how: 'SIGKILL' | 'SIGTERM', downMs: number): Promise<void>
  /** Redis stands still: connections stay, nothing is answered. */
  pauseRedis(forMs: number): Promise<void>
  /** Redis forgets everything, at once. */
  flushRedis(): Promise<void>
}

/** A Postgres and a Redis of the suite's own, both durable, to do with as it likes. */
export async function openServers(sleep: (ms: number) => Promise<void>): Promise<Servers> {
  await using resources = new AsyncDisposableStack()
  const postgres = resources.use(await openOwnPostgres())
  const { path: dir } = resources.use(await openTempDir())
  await mkdir(dir, { recursive: true })
  let redis: RunningServer = await openRedis({ dir })
  resources.defer(() => redis[Symbol.asyncDispose]())
  const redisUrl = redis.url

  const running = resources.move()
  return {
    databaseUrl: postgres.url,
    redisUrl,
    async restartPostgres(how, downMs) {
      await postgres.crash(how)
      await sleep(downMs)
      await postgres.restart()
    },
    async restartRedis(how, downMs) {
      process.kill(redis.pid!, how)
      await redis.exited
      await sleep(downMs)
      redis = await openRedis({ dir })
      if (redis.url !== redisUrl) throw new Error('Somebody took the port of the suite’s own Redis while it was down')
    },
    async pauseRedis(forMs) {
      process.kill(redis.pid!, 'SIGSTOP')
      await sleep(forMs)
      process.kill(redis.pid!, 'SIGCONT')
    },
    async flushRedis() {
      const client = new Redis(redisUrl, { retryStrategy: () => null })
      client.on('error', () => {})
      await client.flushall().finally(() => client.disconnect())
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
