import { z } from 'zod'

/** What our answers look like, for the API reference. */
export const ErrorBody = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string().nullable() }),
})

const credits = (description: string) => z.number().describe(`${description}, in credits with at most six decimals`)

export const ChatCompletion = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      finish_reason: z.enum(['stop', 'length', 'content_filter']),
      logprobs: z.null(),
    }),
  ),
  usage: z.object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
    prompt_tokens_details: z.object({ cached_tokens: z.int() }),
    credits_consumed: credits('What this completion cost'),
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
  price: z.object({
    input: z.number(),
    cached_input: z.number(),
    output: z.number(),
    per: z.int().describe('tokens that the prices, in credits, are for'),
  }),
})
export const ModelList = z.object({ object: z.literal('list'), data: z.array(ModelObject) })

export const Credits = z.object({
  object: z.literal('credits'),
  balance: credits('Granted and not spent'),
  reserved: credits('Set aside for completions that are waiting or running'),
  available: credits('What new completions can use'),
})

export const Account = z.object({
  id: z.string(),
  object: z.literal('account'),
  name: z.string(),
  created_at: z.string(),
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
export const Grant = z.object({
  id: z.string(),
  object: z.literal('grant'),
  kind: z.string(),
  credits: credits('What was given'),
  balance: credits('What is left of it'),
  reference: z.string().nullable(),
  created_at: z.string(),
})
export const Entry = z.object({
  object: z.literal('entry'),
  sequence: z.int(),
  kind: z.enum(['grant', 'charge', 'uncollected']),
  credits: credits('Positive when given, negative when charged'),
  grant_id: z.string().nullable(),
  completion_id: z.string().nullable(),
  balance_after: z.number().nullable().describe('Of the grant, after this entry'),
  created_at: z.string(),
})
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean(), last_id: z.string().nullable() })
