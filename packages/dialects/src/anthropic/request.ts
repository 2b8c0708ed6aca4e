import { z } from 'zod'
import { unsupported } from '../request-error.ts'
import { CacheControl, SystemContent, Turn } from './blocks.ts'
import { checkPrompt } from './request-checks.ts'
import { Tool, ToolChoice } from './tools.ts'

export const SMALLEST_THINKING_BUDGET = 1_024

const display = z.enum(['summarized', 'omitted']).nullish()

export const Thinking = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(SMALLEST_THINKING_BUDGET), display }),
    z.strictObject({ type: z.literal('adaptive'), display }),
    z.strictObject({ type: z.enum(['between_tools', 'disabled']) }),
  ],
  { error: 'must be enabled, adaptive, between_tools or disabled' },
)
export type Thinking = z.infer<typeof Thinking>

export const OutputConfig = z.strictObject({
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  format: z
    .strictObject({
      type: z.literal('json_schema', { error: 'only json_schema is supported' }),
      schema: z.record(z.string(), z.unknown()),
    })
    .nullish(),
})

/** Fields of the API, betas among them, that we know and refuse, so that nobody takes them for a spelling mistake. */
const refused = {
  compaction: unsupported('is not supported'),
  container: unsupported('is not supported: tools run at the client'),
  context_management: unsupported('is not supported'),
  diagnostics: unsupported('is not supported'),
  fallback_credit_token: unsupported('is not supported'),
  fallbacks: unsupported('is not supported: the catalogue tells which model stands in for another'),
  inference_geo: unsupported('is not supported'),
  mcp_servers: unsupported('is not supported: tools run at the client'),
  output_format: unsupported("is not supported: send 'output_config.format'"),
  speed: unsupported('is not supported'),
  user_profile_id: unsupported('is not supported'),
  workspace_id: unsupported('is not supported'),
}

/** What decides how many tokens the model reads. */
const Prompt = z.strictObject({
  model: z.string().min(1).max(256).nullish().describe('A model id or alias; `auto` or none takes the default model'),
  messages: z.array(Turn).min(1).max(10_000),
  system: SystemContent.nullish(),
  tools: z.array(Tool).max(1_000).nullish(),
  tool_choice: ToolChoice.nullish(),
  thinking: Thinking.nullish(),
  output_config: OutputConfig.nullish(),
  cache_control: CacheControl.nullish().describe('Marks the last block of the messages'),
  ...refused,
})

/** The body of POST /v1/messages, as the SDKs of both its generations send it. Null on an optional field is the same as leaving it out. */
export const MessagesRequest = Prompt.extend({
  max_tokens: z.int().min(1, { error: 'must be at least 1; to warm a cache without an answer is not supported' }),
  stop_sequences: z.array(z.string().min(1)).max(8_192).nullish(),
  temperature: z.number().min(0).max(1).nullish().describe('Not part of anthropic-version 2026-10-21'),
  top_p: z.number().min(0).max(1).nullish().describe('Not part of anthropic-version 2026-10-21'),
  top_k: z.int().min(0).nullish().describe('Not part of anthropic-version 2026-10-21'),
  stream: z.boolean().nullish(),
  metadata: z.strictObject({ user_id: z.string().max(512).nullish() }).nullish(),
  service_tier: z.enum(['auto', 'standard_only']).nullish(),
  store: z.boolean().nullish().describe('Keeps the result, to be asked for later'),
  background: z.boolean().nullish().describe('Answers at once with 202 and goes on by itself'),
  webhook_url: z.string().max(2_048).nullish().describe('Where its end is told, beside the endpoints of the account'),
}).superRefine((body, context) => {
  checkPrompt(body, context)
  if (body.thinking?.type !== 'enabled' || body.thinking.budget_tokens < body.max_tokens) return
  context.addIssue({ code: 'custom', path: ['thinking', 'budget_tokens'], message: "must be less than 'max_tokens'" })
})
export type MessagesRequest = z.infer<typeof MessagesRequest>

/** The body of POST /v1/messages/count_tokens: a prompt, and nothing about its answer. */
export const CountTokensRequest = Prompt.superRefine(checkPrompt)
export type CountTokensRequest = z.infer<typeof CountTokensRequest>

/** Without the fields that are null: clients send null for "not set", also for what we do not know. */
export function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

/** What the body asks of us rather than of a model. Its metadata is for the model's vendor; every stream tells its usage. */
export const wishOf = (body: MessagesRequest) => ({
  background: body.background ?? false,
  store: body.store ?? false,
  metadata: undefined,
  includeUsage: true,
  webhookUrl: body.webhook_url ?? undefined,
})
