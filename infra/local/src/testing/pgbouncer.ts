import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { tailOf } from '../private-file.ts'
import { exitOf, hasEnded } from '../processes.ts'
import { type RunAs, serverUser } from '../server-user.ts'
import { untilReady } from '../until-ready.ts'
import { withConnection } from '../admin-database.ts'
import { openTempDir } from './temp-dir.ts'

export type PgBouncer = AsyncDisposable & {
  /** The same database as the target's, through PgBouncer. */
  url: string
  /** Ends it by kill -9, with all connections, and starts it again at the same address. */
  crash(): Promise<void>
}

type Options = {
  /** From `findPgBouncer`. */
  program: string
  /** The database that it stands before. */
  target: string
  /** Of the section `pgbouncer` of its configuration. */
  settings: Record<string, string>
}

/** A PgBouncer on a free port of this machine, which lets in who may log in at `target`. */
export async function openPgBouncer({ program, target, settings }: Options): Promise<PgBouncer> {
  await using resources = new AsyncDisposableStack()
  const { path: dir } = resources.use(await openTempDir())
  // It refuses to run as root, like Postgres.
  const runAs = await serverUser(program, dir)
  const port = await freePort()
  const config = await writeConfig({ dir, port, target, settings, runAs })
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`

  let child = await start({ program, config, runAs, dir, url: url.href })
  const kill = async () => {
    if (hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  resources.defer(kill)

  const opened = resources.move()
  return {
    url: url.href,
    async crash() {
      await kill()
      child = await start({ program, config, runAs, dir, url: url.href })
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

type Config = { dir: string; port: number; target: string; settings: Record<string, string>; runAs: RunAs }

async function writeConfig({ dir, port, target, settings, runAs }: Config): Promise<string> {
  const { hostname, port: targetPort, username, password } = new URL(target)
  const files = { users: join(dir, 'users.txt'), config: join(dir, 'pgbouncer.ini') }
  const section = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    // The password in plain text serves both sides: what the client must prove and what Postgres is told.
    auth_type: 'scram-sha-256',
    auth_file: files.users,
    ...settings,
  }
  const lines = Object.entries(section).map(([name, value]) => `${name} = ${value}`)
  const databases = `[databases]\n* = host=${hostname} port=${targetPort || 5432}`
  const quoted = [username, password].map((text) => `"${decodeURIComponent(text).replaceAll('"', '""')}"`)
  await writeFile(files.users, `${quoted.join(' ')}\n`, { mode: 0o600 })
  await writeFile(files.config, `${databases}\n\n[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o600 })
  if (runAs.owner) for (const file of Object.values(files)) await chown(file, runAs.owner.uid, runAs.owner.gid)
  return files.config
}

type Start = { program: string; config: string; runAs: RunAs; dir: string; url: string }

async function start({ program, config, runAs, dir, url }: Start): Promise<ChildProcess> {
  const command = runAs.command(program, [config])
  const logFile = join(dir, 'pgbouncer.log')
  const log = openSync(logFile, 'a', 0o600)
  const { uid, gid } = command
  const child = spawn(command.program, command.args, { uid, gid, cwd: dir, stdio: ['ignore', log, log], env: {} })
  closeSync(log)
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const exited = exitOf(child)
  void exited.then(() => process.off('exit', endWithUs))
  try {
    await untilReady({ what: 'PgBouncer', ready: () => answers(url), exited, limitMs: 30_000 })
    return child
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`PgBouncer did not start:\n${await tailOf(logFile)}`, { cause: error })
  }
}

function answers(url: string): Promise<true | undefined> {
  return withConnection(url, (client) => client.query('select 1')).then(
    () => true,
    () => undefined,
  )
}
