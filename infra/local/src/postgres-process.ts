import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { endsAtOnceBy } from './force-stop.ts'
import { superuser } from './postgres-init.ts'
import { quickly } from './postgres-leftover.ts'
import type { PostgresPrograms } from './postgres-programs.ts'
import { tailOf } from './private-file.ts'
import { exitOf, stopChild } from './processes.ts'
import type { RunningServer } from './running-server.ts'
import type { RunAs } from './server-user.ts'
import { untilReady } from './until-ready.ts'

const database = 'weir'

type Start = {
  programs: PostgresPrograms
  runAs: RunAs
  dir: string
  data: string
  port: number
  password: string
  durable: boolean
}

/** Starts the server as our child and waits until it answers a query. */
export async function startPostgres(start: Start): Promise<RunningServer> {
  const { dir, port, password } = start
  const logFile = join(dir, 'postgres.log')
  const child = spawnPostgres(start, logFile)
  endsAtOnceBy(child, 'SIGQUIT')
  const exited = exitOf(child)
  const stop = () => stopChild(child, quickly)
  const urlOf = (name: string) => `postgres://${superuser}:${password}@127.0.0.1:${port}/${name}`
  try {
    const ready = () => postgresAnswers(urlOf('postgres'))
    // After a crash, it first replays what it had promised; that can take a while.
    const version = await untilReady({ what: 'Postgres', ready, exited, limitMs: 120_000 })
    await createDatabase(urlOf('postgres'))
    return { url: urlOf(database), version, port, pid: child.pid, exited, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw new Error(`Postgres did not start:\n${await tailOf(logFile)}`, { cause: error })
  }
}

function spawnPostgres({ programs, runAs, dir, data, port, durable }: Start, logFile: string) {
  const flags = Object.entries(settings(port, durable)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { program, args, uid, gid } = runAs.command(programs.postgres, ['-D', data, ...flags])
  const log = openSync(logFile, 'w', 0o600)
  try {
    // In a session of its own: Ctrl-C in the terminal reaches the launcher, which stops Postgres last.
    return spawn(program, args, {
      uid,
      gid,
      cwd: dir,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    })
  } finally {
    closeSync(log)
  }
}

function settings(port: number, durable: boolean): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
}

async function postgresAnswers(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return `Postgres ${rows[0]?.server_version}`
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => {})
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (!rowCount) await client.query(`create database ${database}`)
  } finally {
    await client.end()
  }
}
