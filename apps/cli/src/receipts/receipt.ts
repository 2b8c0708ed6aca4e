import { Usage, type UsageCounts } from '@weir/contracts'
import { z } from 'zod'

const Sum = z.number()
const PriceText = z.string()
const Count = Usage.shape.inputTokens
const Percent = z.int().min(0).max(100)

/** `none`: nothing is charged, and so nobody has counted. */
const Source = z.enum([...Usage.shape.source.options, 'none'])
type Counted = UsageCounts & { source: z.infer<typeof Source> }

/**
 * What of a receipt is computed with or shown. Whatever else it says is covered by the signature alone. One from before there
 * were so many kinds of tokens and prices has none of them.
 */
export const Receipt = z.object({
  object: z.literal('receipt'),
  completion_id: z.string(),
  account_id: z.string(),
  issued_at: z.iso.datetime(),
  model: z.string(),
  served_by: z.string().nullable(),
  state: z.string(),
  ended_at: z.iso.datetime(),
  usage: z
    .object({
      input_tokens: Count,
      cached_input_tokens: Count,
      cache_write_tokens: Count.default(0),
      output_tokens: Count,
      reasoning_tokens: Count.default(0),
      images: Count.default(0),
      source: Source,
    })
    .transform((usage): Counted => ({
      inputTokens: usage.input_tokens,
      cachedInputTokens: usage.cached_input_tokens,
      cacheWriteTokens: usage.cache_write_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: usage.reasoning_tokens,
      images: usage.images,
      source: usage.source,
    })),
  price: z
    .object({
      id: z.string(),
      input: PriceText,
      cached_input: PriceText,
      cache_write: PriceText.optional(),
      output: PriceText,
      reasoning: PriceText.optional(),
      per: z.literal(1_000_000),
      image: PriceText.default('0'),
      request: PriceText.default('0'),
      minimum: PriceText.default('0'),
      batch_discount: Percent.default(0),
    })
    .nullable(),
  quote: Sum,
  reservation: z.object({ credits: Sum }),
  calculation: z
    .object({
      batch_discount: Percent.default(0),
      input: PriceText,
      cached_input: PriceText,
      cache_write: PriceText.default('0'),
      output: PriceText,
      reasoning: PriceText.default('0'),
      images: PriceText.default('0'),
      request: PriceText.default('0'),
      total: PriceText,
      rounded_up: Sum,
      rule: z.enum(['usage', 'minimum', 'free', 'capped']),
    })
    .nullable(),
  cost: Sum,
  charged: Sum,
  uncollected: Sum,
  refunded: Sum,
  entries: z.array(z.object({ kind: z.string(), credits: Sum })),
})
export type Receipt = z.infer<typeof Receipt>
