import { spawnSync } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { findProgram } from './processes.ts'

/** How to start a program so that it does not run as root; an ordinary user starts it plainly. */
export type RunAs = {
  /** The owner that the server's files need; undefined if they already are ours. */
  owner: Owner | undefined
  command: (program: string, args: readonly string[]) => Command
}
export type Command = { program: string; args: readonly string[]; uid?: number; gid?: number }
type Owner = { uid: number; gid: number }

const plainly: RunAs = { owner: undefined, command: (program, args) => ({ program, args }) }

/**
 * Postgres refuses to run as root. Then another user is chosen, made the owner of `dir`, and given a way to reach its
 * programs and its data.
 */
export async function serverUser(postgres: string, dir: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return plainly

  const owner = (await ownerOf(dir)) ?? systemUser()
  await chown(dir, owner.uid, owner.gid)
  const found = [dropPrivileges(owner), ...keepReading(owner)].find((runAs) => reaches(runAs, postgres, dir))
  if (found) return found
  throw new Error(
    `Started as root, Postgres runs as user ${owner.uid}, and that user may not enter ${dir} or run ${postgres}. ` +
      'Move the checkout to a folder that others may enter, start as an ordinary user, or set DATABASE_URL.',
  )
}

function dropPrivileges(owner: Owner): RunAs {
  return { owner, command: (program, args) => ({ program, args, ...owner }) }
}

// A checkout below /root (mode 0700) cannot be entered by anybody else. Of root's capabilities, reading any folder is
// the least that opens the way; container engines often withhold that one and grant the wider one.
function keepReading(owner: Owner): RunAs[] {
  const setpriv = findProgram('setpriv')
  if (!setpriv) return []
  return ['dac_read_search', 'dac_override'].map((capability) => ({
    owner,
    command: (program, args) => ({ program: setpriv, args: [...keeping(owner, capability), '--', program, ...args] }),
  }))
}

function keeping({ uid, gid }: Owner, capability: string): string[] {
  // access(2) ignores the capabilities of a user who is not root, except in this mode, and initdb asks it.
  const secureBits = '--securebits=+no_setuid_fixup'
  const caps = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, secureBits]
  return [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...caps]
}

function reaches(runAs: RunAs, postgres: string, dir: string): boolean {
  const look = 'cd "$1" && test -x "$2" && exec "$2" --version'
  const { program, args, uid, gid } = runAs.command('/bin/sh', ['-c', look, 'sh', dir, postgres])
  return spawnSync(program, args, { uid, gid, stdio: 'ignore', timeout: 10_000 }).status === 0
}

/** Data that is there keeps its owner: in a new container, the same user name can have another number. */
async function ownerOf(dir: string): Promise<Owner | undefined> {
  const { uid, gid } = await stat(dir)
  return uid === 0 ? undefined : { uid, gid }
}

function systemUser(): Owner {
  const own = 'weir-postgres'
  const found = lookUp(own) ?? (addUser(own), lookUp(own)) ?? lookUp('postgres') ?? lookUp('nobody')
  if (found) return found
  throw new Error('Started as root, Postgres needs another user to run as, and none could be made. Set DATABASE_URL.')
}

function addUser(name: string): void {
  const flags = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/bin/false']
  // Two at once: the slower one fails, and then finds what the faster one made.
  spawnSync('useradd', [...flags, name], { stdio: 'ignore', timeout: 30_000 })
}

function lookUp(name: string): Owner | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
  if (uid?.status !== 0 || gid?.status !== 0) return undefined
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}
