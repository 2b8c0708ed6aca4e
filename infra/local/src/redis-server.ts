import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { endsAtOnceBy } from './force-stop.ts'
import { freePort } from './free-port.ts'
import { keptPort, keptSecret, readIfThere, tailOf, writePrivate } from './private-file.ts'
import { commandOf, exitOf, isAlive, stopChild, stopProcess, type StopStep } from './processes.ts'
import { redisAnswers, redisConfig, redisUrl } from './redis-settings.ts'
import type { Log, RunningServer } from './running-server.ts'
import { untilReady } from './until-ready.ts'

// SIGTERM makes Redis flush its append-only file and go.
const gently: StopStep[] = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 5_000],
]

type Files = { config: string; log: string; password: string; pid: string; port: string }

/** Runs a Redis or Valkey program as our child, on a port that is kept from start to start. */
export async function openRedisServer(options: { program: string; dir: string; log: Log }): Promise<RunningServer> {
  const { program, dir, log } = options
  const files = filesIn(dir)
  await stopLeftoverRedis(dir, log)

  const password = await keptSecret(files.password)
  for (let attempt = 1; ; attempt += 1) {
    // Somebody may take the port between our look and Redis's bind; then another one is tried.
    const port = await freePort(attempt === 1 ? await keptPort(files.port) : undefined)
    await writePrivate(files.port, String(port))
    await writePrivate(files.config, redisConfig({ password, port, bind: '127.0.0.1', dir, files }))
    try {
      return await start({ program, dir, files, port, password })
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

type Start = { program: string; dir: string; files: Files; port: number; password: string }

async function start({ program, dir, files, port, password }: Start): Promise<RunningServer> {
  await rm(files.log, { force: true })
  // In a session of its own: Ctrl-C in the terminal reaches the launcher, which stops Redis last but one.
  const child = spawn(program, [files.config], { cwd: dir, detached: true, stdio: 'ignore', env: { LC_ALL: 'C' } })
  endsAtOnceBy(child, 'SIGKILL')
  const exited = exitOf(child)
  const stop = () => stopChild(child, gently)
  const url = redisUrl(password, port)
  try {
    const version = await untilReady({ what: 'Redis', ready: () => redisAnswers(url), exited, limitMs: 60_000 })
    return { url, version, port, pid: child.pid, exited, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw new Error(`${program} did not start:\n${await tailOf(files.log)}`, { cause: error })
  }
}

/** Stops the server that a killed launcher left, if the pid in the file is still that server. */
export async function stopLeftoverRedis(dir: string, log: Log): Promise<void> {
  const files = filesIn(dir)
  const pid = Number(await readIfThere(files.pid))
  if (pid > 0 && isAlive(pid) && isOurs(commandOf(pid), files, await keptPort(files.port))) {
    log(`Stopping the Redis (pid ${pid}) that an earlier launcher left behind`)
    await stopProcess(pid, gently)
  }
  await rm(files.pid, { force: true })
}

// Redis starts with its config file on the command line and then shows its address there instead.
function isOurs(command: string | undefined, files: Files, port: number | undefined): boolean {
  if (!command || !/(redis|valkey)-server/.test(command)) return false
  return command.includes(files.config) || command.includes(` 127.0.0.1:${port}`)
}

function filesIn(dir: string): Files {
  return {
    config: join(dir, 'redis.conf'),
    log: join(dir, 'redis.log'),
    password: join(dir, 'password'),
    pid: join(dir, 'redis.pid'),
    port: join(dir, 'port'),
  }
}
