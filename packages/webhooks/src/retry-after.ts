/** Nobody may keep us waiting for longer, and nobody may have us back at once. */
const LONGEST_MS = 3_600_000
const SHORTEST_MS = 1_000

/** The header Retry-After, in seconds or as a date (RFC 9110, section 10.2.3), within bounds; undefined where it says neither. */
export function retryAfterMsOf(text: string | undefined, now = Date.now()): number | undefined {
  if (text === undefined) return undefined
  const isDate = /^[A-Z][a-z]{2},/.test(text)
  const ms = /^\d{1,10}$/.test(text.trim()) ? Number(text) * 1_000 : isDate ? Date.parse(text) - now : Number.NaN
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, SHORTEST_MS), LONGEST_MS)
}
