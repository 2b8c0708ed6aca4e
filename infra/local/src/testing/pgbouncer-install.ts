import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { lockWhenFree } from '../../pid-lock.js'
import { findProgram } from '../processes.ts'

const policyFile = '/usr/sbin/policy-rc.d'

/**
 * The program of PgBouncer on this machine. As root it is installed with apt-get, once, without the service that the
 * package brings; undefined where it is missing and we may not install it.
 */
export async function findPgBouncer(): Promise<string | undefined> {
  const found = find()
  if (found || process.getuid?.() !== 0) return found
  if (!findProgram('apt-get')) throw new Error('There is no pgbouncer on PATH, and no apt-get to install it with')
  // Installing Redis takes this lock, too: both forbid services for a while by the same file.
  const lock = await lockWhenFree('/run/weir-install-redis.lock')
  try {
    // Whoever held the lock before us has probably done it.
    if (!find()) await install()
  } finally {
    lock.release()
  }
  return find()
}

/** Debian puts it where an ordinary user's PATH does not look. */
function find(): string | undefined {
  return findProgram('pgbouncer') ?? ['/usr/sbin/pgbouncer'].find(existsSync)
}

async function install(): Promise<void> {
  console.log('  Installing pgbouncer with apt-get, once …')
  // Debian asks this program before it starts the service of a new package; 101 means no.
  const isOurs = await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  )
  try {
    await aptGet('update')
    await aptGet('install', '--yes', '--no-install-recommends', 'pgbouncer')
  } finally {
    if (isOurs) await rm(policyFile, { force: true })
  }
}

function aptGet(...args: string[]): Promise<void> {
  const settings = ['DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C']
  const options = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2', '-q']
  return new Promise((resolve, reject) => {
    // By env, so that the rest of our environment is handed on: the package manager may need a proxy.
    const child = spawn('env', [...settings, 'apt-get', ...options, ...args], { timeout: 240_000 })
    let output = ''
    const keep = (text: Buffer) => (output = (output + text).slice(-4_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(
          new Error(`pgbouncer could not be installed: apt-get ${args[0]} ended with ${code ?? signal}:\n${output}`),
        )
    })
  })
}
