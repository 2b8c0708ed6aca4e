import { z } from 'zod'

/** What our answers look like to a client of Anthropic's API, for the API reference. */
export const MessagesErrorBody = z.object({
  type: z.literal('error'),
  error: z.object({
    type: z.string(),
    message: z.string(),
    details: z
      .looseObject({
        error_code: z.string().describe('Our own code, as in the other API'),
        param: z.string().optional().describe('The field that is wrong'),
      })
      .optional(),
  }),
  request_id: z.string().nullable(),
})

const ContentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
  z.object({
    type: z.literal('tool_use'),
    id: z.string(),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
  }),
])

const count = z.int().nonnegative()

export const Message = z.object({
  id: z.string().describe('The id of the completion, spelled `msg_…`'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  content: z.array(ContentBlock),
  stop_reason: z
    .enum([
      'end_turn',
      'max_tokens',
      'stop_sequence',
      'tool_use',
      'pause_turn',
      'refusal',
      'model_context_window_exceeded',
    ])
    .nullable(),
  stop_sequence: z.string().nullable(),
  stop_details: z.null(),
  usage: z.object({
    input_tokens: count.describe('Without those that were read from a cache or written to one'),
    cache_creation_input_tokens: count,
    cache_read_input_tokens: count,
    cache_creation: z.null(),
    output_tokens: count,
    output_tokens_details: z.object({ thinking_tokens: count }),
    server_tool_use: z.null(),
    service_tier: z.null(),
    inference_geo: z.null(),
    speed: z.null(),
    credits_consumed: z.number().describe('What this completion cost, in credits with at most six decimals'),
    clamped_max_tokens: z
      .int()
      .optional()
      .describe('The output cap, where it was lowered to what the account could pay for'),
  }),
})

export const TokenCount = z.object({ input_tokens: count })
