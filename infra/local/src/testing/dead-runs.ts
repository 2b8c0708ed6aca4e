import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock } from '../../pid-lock.js'
import { stopLeftoverPostgres } from '../postgres-leftover.ts'
import { isAlive } from '../processes.ts'
import { stopRedisContainer } from '../redis-container.ts'
import { stopLeftoverRedis } from '../redis-server.ts'

/** Stops the servers of test runs that were killed, and removes their directories. */
export async function removeDeadRuns(state: string): Promise<void> {
  const names = await readdir(state).catch(() => [])
  await Promise.all(names.filter(isDead).map((name) => removeRun(join(state, name))))
}

function isDead(name: string): boolean {
  const pid = Number(/^test-(\d+)-/.exec(name)?.[1])
  return pid > 0 && !isAlive(pid)
}

async function removeRun(dir: string): Promise<void> {
  // Two new runs may find the same dead one; the second leaves it to the first.
  const lock = tryLock(join(dir, 'lock'))
  if (lock.kind === 'held') return
  const ignore = () => {}
  await stopLeftoverPostgres(join(dir, 'postgres/data'), ignore)
  await stopLeftoverRedis(join(dir, 'redis'), ignore)
  await stopRedisContainer(join(dir, 'redis'))
  await rm(dir, { recursive: true, force: true, maxRetries: 5 })
}
