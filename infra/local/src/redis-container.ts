import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { keptSecret, writePrivate } from './private-file.ts'
import { redisAnswers, redisConfig, redisUrl } from './redis-settings.ts'
import type { Log, RunningServer } from './running-server.ts'
import { untilReady } from './until-ready.ts'

const run = promisify(execFile)
const image = 'redis:8-alpine'
const never = new Promise<never>(() => {})

/** Whether a Docker engine answers within two seconds. */
export async function dockerAnswers(): Promise<boolean> {
  const answer = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 2_000 }).catch(() => null)
  return Boolean(answer?.stdout.trim())
}

/** Runs Redis in a container named after `dir`, with its data there. */
export async function openRedisContainer({ dir, log }: { dir: string; log: Log }): Promise<RunningServer> {
  const name = containerOf(dir)
  const stop = () => stopRedisContainer(dir)
  const password = await keptSecret(join(dir, 'password'))
  // Inside the container every address is its own; the published port is on the loopback of the host.
  const files = { pid: '/tmp/redis.pid', log: '' }
  const config = redisConfig({ password, port: 6379, bind: '0.0.0.0', dir: '/data', files })
  await writePrivate(join(dir, 'redis.conf'), config)

  // One that a killed launcher left behind.
  await stop()
  log(`Starting Redis in a container (${image})`)
  await run('docker', ['run', ...runFlags(name, dir), image, 'redis-server', '/data/redis.conf'], { timeout: 300_000 })
  try {
    const { stdout } = await run('docker', ['port', name, '6379/tcp'], { timeout: 10_000 })
    const port = Number(/:(\d+)\s*$/m.exec(stdout)?.[1])
    const url = redisUrl(password, port)
    const ready = () => redisAnswers(url)
    const version = await untilReady({ what: 'Redis in its container', ready, exited: never, limitMs: 60_000 })
    return { url, version: `${version} (container)`, port, pid: undefined, exited: never, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Stops the container of this directory, if there is one. */
export async function stopRedisContainer(dir: string): Promise<void> {
  await run('docker', ['stop', '--time', '10', containerOf(dir)], { timeout: 30_000 }).catch(() => {})
}

function containerOf(dir: string): string {
  return `weir-redis-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`
}

function runFlags(name: string, dir: string): string[] {
  // As ourselves, so that the files in `dir` stay ours and can be removed again.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  return ['-d', '--rm', '--name', name, '--user', user, '-p', '127.0.0.1::6379', '-v', `${dir}:/data`]
}
