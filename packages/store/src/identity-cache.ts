import type { KeyId } from '@weir/contracts'
import { LRUCache } from 'lru-cache'
import type { Identity } from './api-keys.ts'
import { isKeySecret } from './key-secret.ts'

export type IdentityCache = {
  /** Whose secret this is, at most `ttlMs` out of date. Rejects when it is not cached and cannot be looked up. */
  identify(secret: string): Promise<Identity | undefined>
  /** Forgets a key at once: what a revocation tells every replica. */
  forget(keyId: KeyId): void
}

const MAX_KEYS = 10_000
const MAX_UNKNOWN = 10_000

/**
 * Spares the hot path a query per request. A revoked key is refused as soon as `forget` is called, and after `ttlMs` even
 * if that message is lost. What cannot be a key is refused without a look-up.
 */
export function createIdentityCache(options: {
  identify: (secret: string) => Promise<Identity | undefined>
  ttlMs: number
  now?: () => number
}): IdentityCache {
  const perf = { now: options.now ?? (() => performance.now()) }
  const known = new LRUCache<string, Identity>({ max: MAX_KEYS, ttl: options.ttlMs, ttlResolution: 0, perf })
  const unknown = new LRUCache<string, true>({ max: MAX_UNKNOWN, ttl: options.ttlMs, ttlResolution: 0, perf })
  const lookups = new Map<string, Promise<Identity | undefined>>()
  // A look-up that began before a revocation may end after it, with the old answer.
  let forgotten = 0

  async function lookUp(secret: string): Promise<Identity | undefined> {
    const before = forgotten
    // An answer is as old as its question, however long it took.
    const start = perf.now()
    const identity = await options.identify(secret)
    if (identity === undefined) unknown.set(secret, true, { start })
    else if (before === forgotten) known.set(secret, identity, { start })
    return identity
  }

  return {
    async identify(secret) {
      if (!isKeySecret(secret) || unknown.has(secret)) return undefined
      const cached = known.get(secret)
      if (cached) return cached

      // Many requests with one new key make one look-up.
      const running = lookups.get(secret)
      if (running) return running
      const lookup = lookUp(secret).finally(() => {
        if (lookups.get(secret) === lookup) lookups.delete(secret)
      })
      lookups.set(secret, lookup)
      return lookup
    },

    forget(keyId) {
      forgotten++
      // Whoever asks from now on does not wait for an answer from before.
      lookups.clear()
      for (const [secret, identity] of known.entries()) if (identity.keyId === keyId) known.delete(secret)
    },
  }
}
