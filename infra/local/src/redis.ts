import { mkdir, realpath } from 'node:fs/promises'
import { findProgram } from './processes.ts'
import { dockerAnswers, openRedisContainer } from './redis-container.ts'
import { canInstallRedis, installRedis } from './redis-install.ts'
import { openRedisServer } from './redis-server.ts'
import type { Log, RunningServer } from './running-server.ts'

/**
 * A Redis of our own that keeps its data in `dir`: append-only file, no eviction, loopback only, with a password.
 * It is found in this order: `redis-server` or `valkey-server` on PATH, a container, the package manager when root.
 * A server that a killed launcher left behind in `dir` is stopped first. One process at a time may use a directory.
 */
export async function openRedis({ dir, log = () => {} }: { dir: string; log?: Log }): Promise<RunningServer> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const home = await realpath(dir)

  const program = findServer()
  if (program) return openRedisServer({ program, dir: home, log })
  if (await dockerAnswers()) return openRedisContainer({ dir: home, log })
  if (!canInstallRedis()) throw new Error(waysOut)

  await installRedis(log)
  const installed = findServer()
  if (!installed) throw new Error(waysOut)
  return openRedisServer({ program: installed, dir: home, log })
}

function findServer(): string | undefined {
  return findProgram('redis-server', 'valkey-server')
}

const waysOut = [
  'Redis is needed and was not found. One of these is enough:',
  '  - set REDIS_URL to a running Redis, for example REDIS_URL=redis://127.0.0.1:6379',
  '  - install redis-server or valkey-server (apt-get install redis-server, brew install redis)',
  '  - start Docker; then a container is used',
].join('\n')
