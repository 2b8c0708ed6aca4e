import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { initPostgres } from './postgres-init.ts'
import { postgresPrograms } from './postgres-programs.ts'
import { startPostgres } from './postgres-process.ts'
import { stopLeftoverPostgres } from './postgres-leftover.ts'
import { keptPort, keptSecret, writePrivate } from './private-file.ts'
import type { Log, RunningServer } from './running-server.ts'
import { serverUser } from './server-user.ts'

export type PostgresOptions = {
  dir: string
  log?: Log
  /** Preferred port; by default that of the last start in `dir`. */
  port?: number
  /** False trades the safety of the data at a power cut for speed. */
  durable?: boolean
}

/**
 * A Postgres of our own that keeps its data in `dir`: loopback only, with a password, and a database named `weir`.
 * Works as root too, also below a folder that only root may enter. A server that a killed launcher left behind in
 * `dir` is stopped first. One process at a time may use a directory.
 */
export async function openPostgres(options: PostgresOptions): Promise<RunningServer> {
  const { log = () => {}, durable = true } = options
  await mkdir(options.dir, { recursive: true, mode: 0o700 })
  const dir = await realpath(options.dir)
  const data = join(dir, 'data')
  const portFile = join(dir, 'port')

  const programs = await postgresPrograms()
  const runAs = await serverUser(programs.postgres, dir)

  await stopLeftoverPostgres(data, log)
  const passwordFile = join(dir, 'password')
  const password = await keptSecret(passwordFile)
  await initPostgres({ programs, runAs, data, passwordFile })

  for (let attempt = 1; ; attempt += 1) {
    // Somebody may take the port between our look and Postgres's bind; then another one is tried. After a crash, the
    // last children of the old server may also take a moment to let go of its memory.
    const port = await freePort(attempt === 1 ? (options.port ?? (await keptPort(portFile))) : undefined)
    await writePrivate(portFile, String(port))
    try {
      return await startPostgres({ programs, runAs, dir, data, port, password, durable })
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}
