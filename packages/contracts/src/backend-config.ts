import { z } from 'zod'
import { AnthropicConfig, OpenAiConfig } from './vendor-config.ts'

/** Where a model runs, and how fast the stand-in pretends to be. Times in milliseconds. */
export const BackendConfig = z.discriminatedUnion('kind', [
  OpenAiConfig,
  AnthropicConfig,
  z.strictObject({
    kind: z.literal('simulated'),
    slots: z.int().positive().max(100_000).optional(),
    quota_group: z.string().min(1).max(64).optional(),
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

/** Backends of one group share a vendor's limits: where one is told to wait, all of them do. */
export const quotaGroupOf = (name: string, { quota_group: group }: BackendConfig): string => group ?? name

/** What of a backend tells where its secrets are; nothing does for one that has none. */
export type NamesSecrets = Partial<Pick<OpenAiConfig, 'api_key_env' | 'headers'>> & { kind?: BackendConfig['kind'] }

/** The environment variables that a backend's secrets are in, each with the field that names it. */
export function secretNamesOf({ api_key_env: name, headers = {} }: NamesSecrets): { path: string[]; name: string }[] {
  const inHeaders = Object.entries(headers).flatMap(([header, value]) =>
    typeof value === 'string' ? [] : [{ path: ['headers', header, 'env'], name: value.env }],
  )
  return [...(name === undefined ? [] : [{ path: ['api_key_env'], name }]), ...inHeaders]
}
