import { z } from 'zod'

const Tokens = z.int().nonnegative()

/** What a completion used, in disjoint buckets: cached input is not counted in `inputTokens`. */
export const Usage = z.object({
  inputTokens: Tokens,
  cachedInputTokens: Tokens,
  outputTokens: Tokens,
  /** `reported` by the backend, or `estimated` by us where the backend stayed silent. */
  source: z.enum(['reported', 'estimated']),
})
export type Usage = z.infer<typeof Usage>

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' }
