import type { CacheMark } from '@weir/contracts'
import type { CacheControl } from './blocks.ts'

/** A mark as it is spread into what it marks, in canonical words. */
export function cacheOf(control: CacheControl | null | undefined): { cache?: CacheMark } {
  if (!control) return {}
  return { cache: control.ttl ? { ttl: control.ttl } : {} }
}

/** The life that is as long at least, or the longest there is. It changes what a repeated prompt costs, never what is answered. */
const lives = { '5m': '5m', '30m': '1h', '1h': '1h', '12h': '1h' } as const

/** The same in the words of this API. */
export const cacheControlOf = (cache: CacheMark | undefined): { cache_control?: CacheControl } =>
  cache ? { cache_control: { type: 'ephemeral', ...(cache.ttl && { ttl: lives[cache.ttl] }) } } : {}
