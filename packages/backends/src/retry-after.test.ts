import { expect, test } from 'vitest'
import { type Headers, retryAfterOf } from './retry-after.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

test.each<[string, Headers, number | undefined]>([
  ['seconds', { 'retry-after': '7' }, 7_000],
  ['a part of a second', { 'retry-after': '1.5' }, 1_500],
  ['a date of HTTP', { 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30_000],
  ['milliseconds, which are finer', { 'retry-after-ms': '1234.5', 'retry-after': '2' }, 1_235],
  ['a moment that has passed', { 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 1_000],
  ['a day', { 'retry-after': '86400' }, 3_600_000],
  ['a word', { 'retry-after': 'soon' }, undefined],
  ['a number that is no time', { 'retry-after': '-5' }, undefined],
  ['nothing', {}, undefined],
  ['the header twice', { 'retry-after': ['3', '9'] }, 3_000],
  [
    'which of its limits is used up, as Anthropic does',
    {
      'anthropic-ratelimit-requests-remaining': '40',
      'anthropic-ratelimit-requests-reset': '2026-11-21T12:00:59Z',
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-21T12:00:12Z',
    },
    12_000,
  ],
  [
    'which of its limits is used up, as OpenAI does',
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '6m0s',
      'x-ratelimit-remaining-tokens': '10000',
      'x-ratelimit-reset-tokens': '12ms',
    },
    360_000,
  ],
  [
    'only when all is well again',
    { 'x-ratelimit-remaining-requests': '9', 'x-ratelimit-reset-requests': '12h', 'x-ratelimit-reset-tokens': '1s' },
    60_000,
  ],
  ['seconds to a reset, as Azure does', { 'x-ratelimit-reset-tokens': '20' }, 20_000],
  ['a moment in seconds since 1970', { 'x-ratelimit-reset': String(now / 1_000 + 40) }, 40_000],
  ['a moment in milliseconds since 1970', { 'x-ratelimit-reset': String(now + 50_000) }, 50_000],
  ['hours, minutes and seconds', { 'x-ratelimit-reset-requests': '0h0m30.5s' }, 30_500],
  ['a reset that is none', { 'x-ratelimit-reset-requests': 'midnight' }, undefined],
])('a backend that tells %s is asked again then', (_what, headers, expected) => {
  expect(retryAfterOf(headers, now)).toBe(expected)
})
