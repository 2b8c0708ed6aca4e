import { type RateLimitName, type RateLimits, rateLimitNames } from '@weir/contracts'

/** One of the bounds that a completion passes; a limit of 0 bounds nothing. */
export type Bound = { scope: 'account' | 'key'; name: RateLimitName; limit: number }

/** What is left of a rate, and when all of it is there again. */
export type Rate = { limit: number; remaining: number; resetMs: number }

/** The rates that bound a request: of account and key, the one of which less is left. */
export type Standing = { requests?: Rate | undefined; tokens?: Rate | undefined }

/** All eight, in the order in which the script knows them. */
export function boundsOf(account: RateLimits, key: RateLimits): Bound[] {
  const of = (scope: Bound['scope'], limits: RateLimits) =>
    rateLimitNames.map((name): Bound => ({ scope, name, limit: finite(limits[name]) }))
  return [...of('account', account), ...of('key', key)]
}

const finite = (limit = 0) => (Number.isFinite(limit) ? limit : 0)

/** The bound that a request exceeds by itself. */
export const tooFew = (bounds: Bound[], tokens: number): Bound | undefined =>
  bounds.find(({ name, limit }) => name === 'tokensPerMinute' && limit > 0 && tokens > limit)

/** `left`: what remains and when all does, for the rates of the account and then of the key. */
export function standingOf(bounds: Bound[], left: number[]): Standing {
  const rates = bounds.filter(({ name }) => name === 'requestsPerMinute' || name === 'tokensPerMinute')
  const of = (wanted: RateLimitName): Rate | undefined =>
    rates
      .map(({ name, limit }, i) => ({
        name,
        limit,
        remaining: Math.max(0, left[2 * i] ?? 0),
        resetMs: left[2 * i + 1] ?? 0,
      }))
      .filter(({ name, limit }) => name === wanted && limit > 0)
      .map(({ limit, remaining, resetMs }) => ({ limit, remaining, resetMs }))
      .toSorted((a, b) => a.remaining - b.remaining)[0]
  return { requests: of('requestsPerMinute'), tokens: of('tokensPerMinute') }
}
