import type { Rate, Standing } from '@weir/queue'

type Headers = Record<string, string>

/** What is left of the rates, in the names that OpenAI's clients read. Rates that are not bounded are left out. */
export function openaiRateLimits({ requests, tokens }: Standing): Headers {
  const of = (what: string, { limit, remaining, resetMs }: Rate): Headers => ({
    [`x-ratelimit-limit-${what}`]: String(limit),
    [`x-ratelimit-remaining-${what}`]: String(remaining),
    [`x-ratelimit-reset-${what}`]: goDuration(resetMs),
  })
  return { ...(requests && of('requests', requests)), ...(tokens && of('tokens', tokens)) }
}

/** The same in the names that Anthropic's clients read. */
export function anthropicRateLimits({ requests, tokens }: Standing, now: number): Headers {
  const of = (what: string, { limit, remaining, resetMs }: Rate): Headers => ({
    [`anthropic-ratelimit-${what}-limit`]: String(limit),
    [`anthropic-ratelimit-${what}-remaining`]: String(remaining),
    // Whole seconds, not before it is true.
    [`anthropic-ratelimit-${what}-reset`]: new Date(Math.ceil((now + resetMs) / 1_000) * 1_000)
      .toISOString()
      .replace('.000Z', 'Z'),
  })
  return { ...(requests && of('requests', requests)), ...(tokens && of('tokens', tokens)) }
}

/** Both styles for a client that shows itself as Anthropic's, else OpenAI's alone. */
export function rateLimitHeaders(standing: Standing, requestHeaders: Readonly<Record<string, unknown>>): Headers {
  const openai = openaiRateLimits(standing)
  if (requestHeaders['anthropic-version'] === undefined) return openai
  return { ...openai, ...anthropicRateLimits(standing, Date.now()) }
}

/** As Go writes a duration: 12ms, 1.5s, 6m0s, 1h0m0s. */
export function goDuration(ms: number): string {
  if (ms <= 0) return '0s'
  if (ms < 1_000) return `${Math.ceil(ms)}ms`
  const whole = Math.ceil(ms)
  const [hours, minutes] = [Math.floor(whole / 3_600_000), Math.floor(whole / 60_000) % 60]
  const seconds = `${(whole % 60_000) / 1_000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
