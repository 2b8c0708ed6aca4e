import type { CacheMark } from '@weir/contracts'

type Breakpoint = { mode: 'explicit'; ttl?: '30m' | '12h' | null | undefined }

/** Each lifetime as one that OpenAI has, and that is no shorter. */
const lifetimes = { '5m': '30m', '30m': '30m', '1h': '12h', '12h': '12h' } as const

export const markOf = (breakpoint: Breakpoint | null | undefined): { cache?: CacheMark } =>
  breakpoint ? { cache: breakpoint.ttl ? { ttl: breakpoint.ttl } : {} } : {}

export const breakpointOf = (mark: CacheMark | undefined): { prompt_cache_breakpoint?: Breakpoint } =>
  mark ? { prompt_cache_breakpoint: { mode: 'explicit', ...(mark.ttl && { ttl: lifetimes[mark.ttl] }) } } : {}
