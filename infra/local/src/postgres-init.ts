import { spawn } from 'node:child_process'
import { chown, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PostgresPrograms } from './postgres-programs.ts'
import type { RunAs } from './server-user.ts'

export const superuser = 'weir'

type Init = { programs: PostgresPrograms; runAs: RunAs; data: string; passwordFile: string }

/** Makes the data directory, once. It appears whole: a run that was interrupted leaves nothing that looks like one. */
export async function initPostgres({ programs, runAs, data, passwordFile }: Init): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return
  const draft = `${data}.new`
  await rm(draft, { recursive: true, force: true })
  if (runAs.owner) await chown(passwordFile, runAs.owner.uid, runAs.owner.gid)

  const { program, args, uid, gid } = runAs.command(programs.initdb, initdbFlags(draft, passwordFile))
  await new Promise<void>((resolve, reject) => {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
    const child = spawn(program, args, { uid, gid, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (text: Buffer) => (output += text))
    child.stderr.on('data', (text: Buffer) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else
        reject(new Error(`Postgres could not make its data directory (initdb ended with ${code}):\n${output.trim()}`))
    })
  })
  await rename(draft, data)
}

function initdbFlags(data: string, passwordFile: string): string[] {
  return [
    `--pgdata=${data}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Postgres's own C.UTF-8 sorts alike on every machine, whatever locales it has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ]
}
