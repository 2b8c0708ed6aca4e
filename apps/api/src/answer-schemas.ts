import { z } from 'zod'
import { Balance, Price } from './ledger-schemas.ts'

/** What our answers look like, for the API reference. */
export const ErrorBody = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string().nullable() }),
})

const credits = (description: string) => z.number().describe(`${description}, in credits with at most six decimals`)

const ToolCall = z.union([
  z.object({
    id: z.string(),
    type: z.literal('function'),
    function: z.object({ name: z.string(), arguments: z.string() }),
  }),
  z.object({ id: z.string(), type: z.literal('custom'), custom: z.object({ name: z.string(), input: z.string() }) }),
])

const likely = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() }
const TokenLogprob = z.object({ ...likely, top_logprobs: z.array(z.object(likely)) })

export const ChatCompletion = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(ToolCall).optional(),
      }),
      finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter']),
      logprobs: z.object({ content: z.array(TokenLogprob), refusal: z.null() }).nullable(),
    }),
  ),
  usage: z.object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
    prompt_tokens_details: z.object({ cached_tokens: z.int(), cache_write_tokens: z.int().optional() }),
    completion_tokens_details: z.object({ reasoning_tokens: z.int() }),
    credits_consumed: credits('What this completion cost'),
    clamped_max_tokens: z
      .int()
      .optional()
      .describe('The output cap, where it was lowered to what the account could pay for'),
  }),
})

export const ModelObject = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
  aliases: z.array(z.string()),
  context_window: z.int(),
  max_output_tokens: z.int(),
  price: Price.pick({ input: true, cached_input: true, output: true, per: true }),
})
export const ModelList = z.object({ object: z.literal('list'), data: z.array(ModelObject) })

export const Account = z.object({
  id: z.string(),
  object: z.literal('account'),
  name: z.string(),
  created_at: z.string(),
})
export const AccountWithCredits = Account.extend({
  frozen: z.boolean().describe('A frozen account starts no new completions'),
  shortage: z
    .enum(['refuse', 'clamp'])
    .describe('What a request gets that costs more than there is: a 402, or a shorter answer'),
  credits: Balance,
})
export const ApiKey = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  name: z.string(),
  hint: z.string().describe('Prefix and last characters of the secret'),
  created_at: z.string(),
  revoked_at: z.string().nullable(),
})
export const NewApiKey = ApiKey.extend({ key: z.string().describe('The secret, shown this once') })
export const listSchemaOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean(), last_id: z.string().nullable() })
