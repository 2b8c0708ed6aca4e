import { expect, test } from 'vitest'
import { anthropicRateLimits, goDuration, openaiRateLimits, rateLimitHeaders } from './rate-limits.ts'

const standing = {
  requests: { limit: 60, remaining: 59, resetMs: 1_000 },
  tokens: { limit: 150_000, remaining: 149_984, resetMs: 360_000 },
}

test('what is left is told as OpenAI tells it', () => {
  expect(openaiRateLimits(standing)).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-limit-tokens': '150000',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-remaining-tokens': '149984',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-reset-tokens': '6m0s',
  })
})

test('what is left is told as Anthropic tells it, with times in whole seconds', () => {
  expect(anthropicRateLimits(standing, Date.UTC(2026, 0, 31, 12, 0, 0, 500))).toEqual({
    'anthropic-ratelimit-requests-limit': '60',
    'anthropic-ratelimit-requests-remaining': '59',
    'anthropic-ratelimit-requests-reset': '2026-01-31T12:00:02Z',
    'anthropic-ratelimit-tokens-limit': '150000',
    'anthropic-ratelimit-tokens-remaining': '149984',
    'anthropic-ratelimit-tokens-reset': '2026-01-31T12:06:01Z',
  })
})

test('a rate that is not bounded has no headers', () => {
  expect(openaiRateLimits({})).toEqual({})
  expect(anthropicRateLimits({}, 0)).toEqual({})
  expect(Object.keys(openaiRateLimits({ tokens: standing.tokens }))).toEqual([
    'x-ratelimit-limit-tokens',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-tokens',
  ])
})

test("Anthropic's names are for a client that shows itself as one of theirs", () => {
  const namesFor = (headers: Record<string, string>) => Object.keys(rateLimitHeaders(standing, headers))

  expect(namesFor({}).filter((name) => name.startsWith('anthropic-'))).toEqual([])
  expect(namesFor({ 'anthropic-version': '2023-06-01' })).toHaveLength(12)
})

test.each([
  [0, '0s'],
  [0.2, '1ms'],
  [12, '12ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [1_500, '1.5s'],
  [59_999.1, '1m0s'],
  [72_172, '1m12.172s'],
  [360_000, '6m0s'],
  [3_600_000, '1h0m0s'],
])('%d milliseconds are written %s', (ms, written) => {
  expect(goDuration(ms)).toBe(written)
})
