import { z } from 'zod'

/** Where a model runs, and how fast the stand-in pretends to be. Times in milliseconds. */
export const BackendConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openai'),
    base_url: z.url({ protocol: /^https?$/ }),
    /** The name of the environment variable that holds the secret; the secret itself is never in the file. */
    api_key_env: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .optional(),
    /** Completions in flight at once, over all workers. */
    slots: z.int().positive().max(100_000).optional(),
    connect_timeout_ms: z.int().positive().default(5_000),
    first_token_timeout_ms: z.int().positive().default(120_000),
    idle_timeout_ms: z.int().positive().default(60_000),
  }),
  z.strictObject({
    kind: z.literal('simulated'),
    slots: z.int().positive().max(100_000).optional(),
    tokens_per_second: z.number().positive().max(1_000_000).default(50),
    output_tokens: z.int().positive().max(100_000).default(48),
    latency_ms: z.int().nonnegative().max(600_000).default(100),
    /** A fault to play: refuse before the first token, break off after some, end without a finish reason, or hang. */
    fault: z.enum(['refuse', 'overload', 'break', 'truncate', 'hang']).optional(),
    fault_after_tokens: z.int().nonnegative().default(5),
    /** Only the first N requests of a process meet the fault; all of them when absent. */
    fault_times: z.int().positive().optional(),
  }),
])
export type BackendConfig = z.infer<typeof BackendConfig>
