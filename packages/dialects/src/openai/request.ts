import { type RequestDraft, ServiceError, TextPart } from '@weir/contracts'
import { z } from 'zod'

const Content = z.union([z.string(), z.array(TextPart).min(1)], { error: 'must be a string or an array of text parts' })
/** What Postgres holds as it was sent. */
const keptText = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), { error: 'must be well-formed text without NUL' })

/** Pairs of text that stay with a completion: at most 16, keys of up to 64 characters, values of up to 512. */
export const Metadata = z
  .record(keptText(64).min(1), keptText(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: 'must have at most 16 pairs' })

const name = z.string().max(64).optional()

/**
 * The body of POST /v1/chat/completions for text chat. Bounds are those of the OpenAI specification (openai-openapi
 * 2.3.0, CreateChatCompletionRequest); null on an optional field is the same as leaving it out.
 */
export const ChatCompletionRequest = z.strictObject({
  model: z.string().min(1).max(256).optional().describe('A model id or alias; `auto` or none takes the default model'),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['system', 'developer', 'user', 'assistant']),
        content: Content,
        name,
      }),
    )
    .min(1)
    .max(10_000),
  max_completion_tokens: z.int().min(1).optional(),
  max_tokens: z.int().min(1).optional().describe('Older name of max_completion_tokens'),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(4)], {
      error: 'must be a string or 1 to 4 strings',
    })
    .optional(),
  seed: z.int().optional(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .optional(),
  user: z.string().max(512).optional().describe('Accepted and not passed on'),
  safety_identifier: z.string().max(64).optional().describe('Accepted and not passed on'),
  n: z.literal(1, { error: 'only 1 is supported' }).optional(),
  logprobs: z.literal(false, { error: 'only false is supported' }).optional(),
  store: z.boolean().optional().describe('Keeps the result, to be asked for later'),
  metadata: Metadata.optional(),
  background: z.boolean().optional().describe('Answers at once with 202 and goes on by itself'),
  service_tier: z.enum(['auto', 'default']).optional(),
  response_format: z.strictObject({ type: z.literal('text', { error: 'only text is supported' }) }).optional(),
})
export type ChatCompletionRequest = z.infer<typeof ChatCompletionRequest>

/** Fields of the specification that we know and refuse, so that nobody takes them for a spelling mistake. */
export const unsupportedFields: ReadonlySet<string> = new Set([
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'modalities',
  'moderation',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning_effort',
  'tool_choice',
  'tools',
  'top_logprobs',
  'verbosity',
  'web_search_options',
])

/** Without the fields that are null: clients send null for "not set". */
export function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

/** Reads the body into a request whose model is still to be chosen. */
export function toCanonical(body: ChatCompletionRequest): RequestDraft {
  return {
    model: body.model,
    messages: body.messages,
    maxOutputTokens: outputCapOf(body),
    temperature: body.temperature,
    topP: body.top_p,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    stop: typeof body.stop === 'string' ? [body.stop] : body.stop,
    seed: body.seed,
    stream: body.stream ?? false,
  }
}

/** What the body asks of us rather than of a model. */
export const wishOf = (body: ChatCompletionRequest) => ({
  background: body.background ?? false,
  store: body.store ?? false,
  metadata: body.metadata,
  includeUsage: body.stream_options?.include_usage ?? false,
})

function outputCapOf({ max_completion_tokens: cap, max_tokens: olderCap }: ChatCompletionRequest): number | undefined {
  if (cap === undefined || olderCap === undefined || cap === olderCap) return cap ?? olderCap
  const message = "'max_tokens' and 'max_completion_tokens' disagree; send one of them."
  throw new ServiceError('invalid_request', message, { param: 'max_tokens' })
}
