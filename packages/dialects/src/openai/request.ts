import { z } from 'zod'
import { unsupported } from '../request-error.ts'
import { checkRequest } from './request-checks.ts'
import { LogitBias, Metadata, RequestFormat, Stop, StreamOptions } from './schema/formats.ts'
import { RequestMessage } from './schema/messages.ts'
import { RequestTool, RequestToolChoice } from './schema/tools.ts'

const fields = {
  model: z.string().min(1).max(256).optional().describe('A model id or alias; `auto` or none takes the default model'),
  messages: z.array(RequestMessage).min(1).max(10_000),
  max_completion_tokens: z.int().min(1).optional().describe('Of each choice, reasoning included'),
  max_tokens: z.int().min(1).optional().describe('Older name of max_completion_tokens'),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).optional().describe('Not of OpenAI, but of most other servers'),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  logit_bias: LogitBias.optional(),
  stop: Stop.optional(),
  seed: z
    .int({ error: `must be an integer from -${Number.MAX_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}` })
    .optional(),
  n: z.int().min(1).max(128).optional(),
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional().describe('Needs `logprobs`'),
  tools: z.array(RequestTool).max(1_024).optional(),
  tool_choice: RequestToolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: RequestFormat.optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
  verbosity: z.enum(['low', 'medium', 'high']).optional(),
  modalities: z
    .array(z.literal('text', { error: 'only text is supported' }))
    .min(1)
    .max(2)
    .optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast']).optional(),
  user: z.string().max(512).optional().describe('Older name of safety_identifier'),
  safety_identifier: z.string().max(64).optional().describe('Whom of your users this is for'),
  prompt_cache_key: z.string().max(512).optional(),
  prompt_cache_options: z
    .strictObject({ mode: z.enum(['implicit', 'explicit']).nullish(), ttl: z.enum(['30m', '12h']).nullish() })
    .optional(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).optional(),
  stream: z.boolean().optional(),
  stream_options: StreamOptions.optional(),
  store: z.boolean().optional().describe('Keeps the result, to be asked for later'),
  metadata: Metadata.optional(),
  background: z.boolean().optional().describe('Answers at once with 202 and goes on by itself'),
  webhook_url: z.string().max(2_048).optional().describe('Where its end is told, beside the endpoints of the account'),
  // Fields of the specification that we know and refuse, so that nobody takes them for a vendor's.
  functions: unsupported('is deprecated and not supported: use tools'),
  function_call: unsupported('is deprecated and not supported: use tool_choice'),
  audio: unsupported('is not supported: answers are text'),
  prediction: unsupported('is not supported'),
  moderation: unsupported('is not supported'),
  web_search_options: unsupported('is not supported'),
}

/**
 * The body of POST /v1/chat/completions. Fields and bounds are those of the OpenAI specification (openai-openapi 2.3.0,
 * CreateChatCompletionRequest); null on an optional field is the same as leaving it out. Fields it does not know are
 * vendors': whether the model's backend takes them is decided once the model is.
 */
export const ChatCompletionRequest = z.looseObject(fields).superRefine(checkRequest(new Set(Object.keys(fields))))
export type ChatCompletionRequest = z.infer<typeof ChatCompletionRequest>

/** Without the fields that are null: clients send null for "not set". */
export function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

/** The fields of a body that the specification does not know. */
export function extraOf(body: ChatCompletionRequest): Record<string, unknown> | undefined {
  const extra = Object.entries(body).filter(([key, value]) => !Object.hasOwn(fields, key) && value != null)
  return extra.length === 0 ? undefined : Object.fromEntries(extra)
}

/** What the body asks of us rather than of a model. */
export const wishOf = (body: ChatCompletionRequest) => ({
  background: body.background ?? false,
  store: body.store ?? false,
  metadata: body.metadata,
  includeUsage: body.stream_options?.include_usage ?? false,
  webhookUrl: body.webhook_url,
})
