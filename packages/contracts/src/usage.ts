import { z } from 'zod'

const Count = z.int().nonnegative()

/**
 * What a completion used, in disjoint buckets: cached input, and input that was written to a cache, are not counted in
 * `inputTokens`, nor reasoning in `outputTokens`. A bucket that is absent is empty.
 */
export const Usage = z.object({
  inputTokens: Count,
  cachedInputTokens: Count,
  cacheWriteTokens: Count.optional(),
  outputTokens: Count,
  reasoningTokens: Count.optional(),
  /** Images in the request, counted by us. */
  images: Count.optional(),
  /** `reported` by the backend, `capped` where it reported more than the request could use, or `estimated` by us where it stayed silent. */
  source: z.enum(['reported', 'capped', 'estimated']),
})
export type Usage = z.infer<typeof Usage>
export type UsageCounts = Omit<Usage, 'source'>

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' }

/** All tokens of the prompt, however they were read. */
export const promptTokens = ({ inputTokens, cachedInputTokens, cacheWriteTokens = 0 }: UsageCounts): number =>
  inputTokens + cachedInputTokens + cacheWriteTokens

/** All tokens that were generated, reasoning among them. */
export const generatedTokens = ({ outputTokens, reasoningTokens = 0 }: UsageCounts): number =>
  outputTokens + reasoningTokens
