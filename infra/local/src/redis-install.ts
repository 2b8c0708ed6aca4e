import { spawn } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { lockWhenFree } from '../pid-lock.js'
import { findProgram } from './processes.ts'
import type { Log } from './running-server.ts'

const policyFile = '/usr/sbin/policy-rc.d'

/** Whether this machine lets us install packages without asking anybody. */
export function canInstallRedis(): boolean {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined
}

/** Installs `redis-server` by apt-get, without starting the service that the package brings. */
export const installRedis = (log: Log): Promise<void> =>
  installWithApt('redis-server', () => findProgram('redis-server') !== undefined, log)

/** Installs a package by apt-get, once on this machine, without starting the service that it may bring. */
export async function installWithApt(name: string, isThere: () => boolean, log: Log): Promise<void> {
  // One lock for all packages: each forbids services for a while by the same file.
  const lock = await lockWhenFree('/run/weir-install-redis.lock')
  try {
    // Whoever held the lock before us has probably done it.
    if (isThere()) return
    log(`Installing ${name} with apt-get, once`)
    const restorePolicy = await forbidServices()
    try {
      await aptGet('update')
      await aptGet('install', '--yes', '--no-install-recommends', name)
    } finally {
      await restorePolicy()
    }
  } finally {
    lock.release()
  }
}

// Debian asks this program before it starts the service of a new package; 101 means no.
async function forbidServices(): Promise<() => Promise<void>> {
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' })
  } catch (error) {
    // A machine that already has a policy keeps it.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return async () => {}
    throw error
  }
  return () => rm(policyFile, { force: true })
}

function aptGet(...args: string[]): Promise<void> {
  const options = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2', '-q']
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', [...options, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      timeout: 600_000,
    })
    let output = ''
    const keep = (text: Buffer) => (output = (output + text).slice(-4_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`apt-get ${args[0]} ended with ${code ?? signal}:\n${output.trim()}`))
    })
  })
}
