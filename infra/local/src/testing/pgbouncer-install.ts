import { existsSync } from 'node:fs'
import { findProgram } from '../processes.ts'
import { installWithApt } from '../redis-install.ts'

/**
 * The program of PgBouncer on this machine. As root it is installed with apt-get, once, without the service that the
 * package brings; undefined where it is missing and we may not install it.
 */
export async function findPgBouncer(): Promise<string | undefined> {
  const found = find()
  if (found || process.getuid?.() !== 0) return found
  if (!findProgram('apt-get')) throw new Error('There is no pgbouncer on PATH, and no apt-get to install it with')
  await installWithApt(
    'pgbouncer',
    () => find() !== undefined,
    (text) => console.log(`  ${text} …`),
  )
  return find()
}

/** Debian puts it where an ordinary user's PATH does not look. */
function find(): string | undefined {
  return findProgram('pgbouncer') ?? ['/usr/sbin/pgbouncer'].find(existsSync)
}
