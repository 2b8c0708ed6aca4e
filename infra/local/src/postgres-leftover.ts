import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from './private-file.ts'
import { commandOf, isAlive, stopProcess, type StopStep } from './processes.ts'
import type { Log } from './running-server.ts'

// SIGINT: end the sessions, write a checkpoint, go. SIGQUIT: go at once and recover at the next start.
export const quickly: StopStep[] = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
]

/** Stops the server that a killed launcher left on this data directory, and forgets one that is gone. */
export async function stopLeftoverPostgres(data: string, log: Log): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  const text = await readIfThere(pidFile)
  if (text === undefined) return
  const pid = Number(text.split('\n')[0])
  // The pid may belong to somebody else by now, and then Postgres itself would refuse to start because of this file.
  if (pid > 0 && isAlive(pid) && isPostgresOn(data, commandOf(pid))) {
    log(`Stopping the Postgres (pid ${pid}) that an earlier launcher left behind`)
    await stopProcess(pid, quickly)
  }
  await rm(pidFile, { force: true })
}

function isPostgresOn(data: string, command: string | undefined): boolean {
  return command !== undefined && command.includes('postgres') && command.includes(data)
}
