import { Usage } from '@weir/contracts'
import { z } from 'zod'

const Sum = z.number()
const PriceText = z.string()

/** `none`: nothing is charged, and so nobody has counted. */
const Source = z.enum([...Usage.shape.source.options, 'none'])
type Counted = Omit<Usage, 'source'> & { source: z.infer<typeof Source> }

/** What of a receipt is computed with or shown. Whatever else it says is covered by the signature alone. */
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
      input_tokens: Usage.shape.inputTokens,
      cached_input_tokens: Usage.shape.cachedInputTokens,
      output_tokens: Usage.shape.outputTokens,
      source: Source,
    })
    .transform(({ input_tokens, cached_input_tokens, output_tokens, source }): Counted => ({
      inputTokens: input_tokens,
      cachedInputTokens: cached_input_tokens,
      outputTokens: output_tokens,
      source,
    })),
  price: z
    .object({ id: z.string(), input: PriceText, cached_input: PriceText, output: PriceText, per: z.literal(1_000_000) })
    .nullable(),
  quote: Sum,
  reservation: z.object({ credits: Sum }),
  calculation: z
    .object({
      input: PriceText,
      cached_input: PriceText,
      output: PriceText,
      total: PriceText,
      rounded_up: Sum,
      rule: z.enum(['usage', 'free', 'capped']),
    })
    .nullable(),
  cost: Sum,
  charged: Sum,
  uncollected: Sum,
  refunded: Sum,
  entries: z.array(z.object({ kind: z.string(), credits: Sum })),
})
export type Receipt = z.infer<typeof Receipt>
