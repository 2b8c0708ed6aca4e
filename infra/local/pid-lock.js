// Plain JavaScript without packages: it also runs on the Node of the machine, before anything is installed.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whether a process runs. A zombie, which only waits for its parent to look, counts as ended. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
  return statOf(pid)?.state !== 'Z'
}

/**
 * Takes the lock file at `path` for this process (or a child of it), or tells who holds it.
 * The lock of a process that is gone, however it went, is free.
 */
export function tryLock(path, pid = process.pid) {
  const mine = { pid, started: startOf(pid), nonce: randomUUID() }
  const draft = `${path}.${mine.nonce}`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(draft, JSON.stringify(mine), { flag: 'wx' })
  try {
    for (;;) {
      // A link appears at once and with its content, so nobody ever reads a half-written lock.
      if (succeeds(() => linkSync(draft, path), 'EEXIST')) return { kind: 'locked', release: () => release(path, mine) }
      const owner = ownerOf(path)
      if (owner && isOwnerAlive(owner)) return { kind: 'held', pid: owner.pid }
      if (owner) replaceDead(path, owner)
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** As `tryLock`, but waits while a living process holds the lock; `onWait` is told its pid, once. */
export async function lockWhenFree(path, onWait = () => {}) {
  for (let first = true; ; first = false) {
    const attempt = tryLock(path)
    if (attempt.kind === 'locked') return attempt
    if (first) onWait(attempt.pid)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

// Two processes may find the same dead owner. Whoever holds the lock named after that owner removes its file, and only
// while the file is still that owner's; else the slower one would remove the lock that the faster one has just taken.
function replaceDead(path, owner) {
  const attempt = tryLock(`${path}.after-${owner.nonce}`)
  if (attempt.kind === 'held') return
  if (ownerOf(path)?.nonce === owner.nonce) rmSync(path, { force: true })
  attempt.release()
}

function release(path, mine) {
  if (ownerOf(path)?.nonce === mine.nonce) rmSync(path, { force: true })
}

function ownerOf(path) {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(text)
  } catch {
    // A disk that was full can leave an empty lock. It names no owner, so it protects nobody.
    renameSync(path, `${path}.unreadable`)
    return undefined
  }
}

// Pids are used again: the owner is the process with this pid and this start.
function isOwnerAlive(owner) {
  return isAlive(owner.pid) && startOf(owner.pid) === owner.started
}

function startOf(pid) {
  if (process.platform === 'linux') return statOf(pid)?.started
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } }).trim()
  } catch {
    return undefined
  }
}

function statOf(pid) {
  try {
    // The command's name stands in brackets and may itself hold spaces and brackets.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], started: fields[19] }
  } catch {
    return undefined
  }
}

function succeeds(action, expectedCode) {
  try {
    action()
    return true
  } catch (error) {
    if (error.code === expectedCode) return false
    throw error
  }
}
