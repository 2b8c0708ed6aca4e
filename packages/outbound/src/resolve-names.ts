import { Resolver } from 'node:dns/promises'

/** All addresses of a name; none when there is no such name. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<string[]>

const TRY_MS = 2_000

/**
 * Asks the name servers, and nobody else: no hosts file, no search domains, so a name means what it means to the world.
 * The system's own resolver would wait in a thread, of which a process has four; names that are slow on purpose would
 * hold them all.
 */
export const resolveNames: Resolve = async (name, signal) => {
  const resolver = new Resolver({ timeout: TRY_MS, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    signal.throwIfAborted()
    return found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
