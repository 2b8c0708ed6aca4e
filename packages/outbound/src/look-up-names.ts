import { lookup } from 'node:dns/promises'
import type { Resolve } from './resolve-names.ts'

/** A lookup holds a thread until it ends, and a process has four: the others are for files and signatures. */
const MOST_AT_ONCE = 2

let free = MOST_AT_ONCE
const waiting: (() => void)[] = []

/**
 * Asks the system, as any program of this machine does: the hosts file, `localhost`, search domains, then the name
 * servers. Few at once, in the order they came; whoever was aborted meanwhile asks for nothing.
 */
export const lookUpNames: Resolve = async (name, signal) => {
  await turn()
  try {
    signal.throwIfAborted()
    const found = await lookup(name, { all: true }).catch(() => [])
    return found.map(({ address }) => address)
  } finally {
    done()
  }
}

async function turn(): Promise<void> {
  if (free === 0) return new Promise((resolve) => waiting.push(resolve))
  free -= 1
}

function done(): void {
  const next = waiting.shift()
  if (next) next()
  else free += 1
}
