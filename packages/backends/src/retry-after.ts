/** What a backend's headers are, as undici gives them: names in lower case. */
export type Headers = Record<string, string | string[] | undefined>

const SHORTEST_MS = 1_000
// A vendor's clock, or a number of another unit, must not silence a backend for a day.
const LONGEST_MS = 3_600_000
// Without a word on which limit is used up, the longest reset may be that of another one.
const LONGEST_GUESS_MS = 60_000

/**
 * How long a backend asks to be left alone, or undefined where it does not say. `retry-after-ms` and `Retry-After` come
 * first, for they are about this request; after them, the resets of the limits that are used up.
 */
export function retryAfterOf(headers: Headers, now = Date.now()): number | undefined {
  const ms = millisecondsOf(headers) ?? retryAfterHeaderOf(headers, now) ?? resetOf(headers, now)
  return ms === undefined ? undefined : Math.round(Math.min(Math.max(ms, SHORTEST_MS), LONGEST_MS))
}

function millisecondsOf(headers: Headers): number | undefined {
  return numberOf(textOf(headers['retry-after-ms']))
}

/** Retry-After in either of its forms, seconds or a date. */
function retryAfterHeaderOf(headers: Headers, now: number): number | undefined {
  const text = textOf(headers['retry-after'])
  const seconds = numberOf(text)
  return seconds === undefined ? untilDate(text, now) : seconds * 1_000
}

/** `anthropic-ratelimit-…-reset` is a date, `x-ratelimit-reset-…` a duration, seconds or a date, by vendor. */
function resetOf(headers: Headers, now: number): number | undefined {
  const resets: { ms: number; isUsedUp: boolean }[] = []
  for (const [name, value] of Object.entries(headers)) {
    const remaining = remainingNameOf(name)
    if (remaining === undefined) continue
    const text = textOf(value)
    const ms = numericResetOf(text, now) ?? durationOf(text) ?? untilDate(text, now)
    if (ms !== undefined) resets.push({ ms, isUsedUp: numberOf(textOf(headers[remaining])) === 0 })
  }
  if (resets.length === 0) return undefined
  const usedUp = resets.filter(({ isUsedUp }) => isUsedUp)
  if (usedUp.length > 0) return Math.max(...usedUp.map(({ ms }) => ms))
  return Math.min(Math.max(...resets.map(({ ms }) => ms)), LONGEST_GUESS_MS)
}

/** The header that says what is left until the reset that this header tells; undefined when it tells none. */
function remainingNameOf(name: string): string | undefined {
  if (/^anthropic-ratelimit-[\w-]+-reset$/.test(name)) return name.replace(/reset$/, 'remaining')
  return /^x-ratelimit-reset(-[\w-]+)?$/.test(name) ? name.replace('-reset', '-remaining') : undefined
}

/** Small numbers are seconds from now; large ones seconds or milliseconds since 1970. */
function numericResetOf(text: string, now: number): number | undefined {
  const value = numberOf(text)
  if (value === undefined) return undefined
  if (value > 1e12) return value - now
  return value > 1e9 ? value * 1_000 - now : value * 1_000
}

const UNIT_MS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** A duration as Go writes it: `1s`, `6m0s`, `12ms`. */
function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit!] ?? 0), 0)
}

function untilDate(text: string, now: number): number | undefined {
  // `Date.parse` takes nearly anything for a date; those of HTTP and of RFC 3339 have a time of day.
  const date = /\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : date - now
}

const numberOf = (text: string): number | undefined => (/^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : undefined)

const textOf = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).trim()
