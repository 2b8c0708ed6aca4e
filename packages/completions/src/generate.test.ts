import { inputTokenBound } from '@weir/backends'
import type { Usage } from '@weir/contracts'
import { expect, test } from 'vitest'
import { nothingGenerated, usageOf } from './generate.ts'
import { requestOf } from './testing/service.ts'

const request = requestOf({ maxOutputTokens: 100 })
const bound = inputTokenBound(request)
const HUGE = Number.MAX_SAFE_INTEGER

const tokens = (inputTokens: number, cachedInputTokens: number, outputTokens: number): Usage => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  source: 'reported',
})

test.each([
  ['all that it can be', tokens(bound - 3, 3, 100), tokens(bound - 3, 3, 100)],
  ['more output than its cap', tokens(7, 2, 101), tokens(7, 2, 100)],
  ['more input than the prompt has bytes', tokens(bound + 1, 0, 1), tokens(bound, 0, 1)],
  ['more input, most of it cached', tokens(9, bound - 3, 1), tokens(3, bound - 3, 1)],
  ['the largest numbers there are', tokens(HUGE, HUGE, HUGE), tokens(0, bound, 100)],
])('a report of %s counts for what the request could have used', async (_what, reported, counted) => {
  expect(await usageOf(request, { ...nothingGenerated(), reported })).toEqual(counted)
})
