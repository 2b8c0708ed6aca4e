import { z } from 'zod'

const most = z.int().min(1).max(1_000_000_000)

/** How much of the service an account, or one key of it, may have and ask for. What is absent is not bounded here. */
export const RateLimits = z.strictObject({
  /** Completions that are waiting or running. */
  concurrent: most.optional(),
  /** Of those, completions that no worker has begun. */
  queued: most.optional(),
  requestsPerMinute: most.optional(),
  /** Input and output together. */
  tokensPerMinute: most.optional(),
})
export type RateLimits = z.infer<typeof RateLimits>
export type RateLimitName = keyof RateLimits

export const rateLimitNames = [
  'concurrent',
  'queued',
  'requestsPerMinute',
  'tokensPerMinute',
] as const satisfies RateLimitName[]
