import { z } from 'zod'
import { Balance } from './ledger-schemas.ts'

/** What our answers look like, for the API reference. */
export const ErrorBody = z.object({
  error: z.looseObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable().describe('The field of the request that is wrong'),
    code: z.string().nullable(),
    completion_id: z.string().optional().describe('Of a completion that was accepted: it can be asked about'),
    balance: z.number().optional().describe('Of a 402, in credits, as are the three that follow'),
    available: z.number().optional(),
    reserved: z.number().optional().describe('By completions that run'),
    needed: z.number().optional().describe('The most that the request can cost; of a 413, its tokens'),
    waiting_helps: z.boolean().optional().describe('Whether there is enough once running completions have ended'),
    period: z.enum(['day', 'month', 'total']).optional().describe('Of a 402: which limit of the API key is used up'),
    limit: z
      .object({ scope: z.enum(['account', 'key']), name: z.string(), value: z.int() })
      .optional()
      .describe('Of a 429 or 413: the bound that was met'),
    estimated_wait_seconds: z.int().optional().describe('Of a 503: when a worker would begin'),
  }),
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
