import { tryLock } from '../pid-lock.js'

/** Holds the lock file at `path` until disposed; throws if a living process has it. */
export function openLock(path: string, whatItGuards: string): Disposable {
  const attempt = tryLock(path)
  if (attempt.kind === 'held') {
    throw new Error(`${whatItGuards} is in use by process ${attempt.pid}. Stop that one first (kill ${attempt.pid}).`)
  }
  return { [Symbol.dispose]: attempt.release }
}
