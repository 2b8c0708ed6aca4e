import { z } from 'zod'
import { Entry } from '../ledger-schemas.ts'

const credits = (description: string) => z.number().describe(`${description}, in credits with at most six decimals`)
const exact = (description: string) => z.string().describe(`${description}, in credits as exact decimal text`)
const time = z.string()

const PricePaid = z.object({
  id: z.string(),
  model: z.string(),
  effective_at: time,
  input: exact('For `per` tokens of input'),
  cached_input: exact('For `per` tokens of input that the backend had cached'),
  cache_write: exact('For `per` tokens of input that the backend wrote to a cache'),
  output: exact('For `per` tokens of output'),
  reasoning: exact('For `per` tokens of reasoning'),
  per: z.int(),
  image: exact('For each image in the request'),
  request: exact('For the completion itself'),
  minimum: exact('The least that a completion costs which costs anything'),
  batch_discount: z.int().describe('Percent that a line of a batch pays less'),
})

const CostCalculation = z.object({
  batch_discount: z.int().describe('Percent that each price was reduced by; 0 for what is no line of a batch'),
  input: exact('Tokens of input at their price'),
  cached_input: exact('Cached tokens of input at their price'),
  cache_write: exact('Tokens of input that were written to a cache at their price'),
  output: exact('Tokens of output at their price'),
  reasoning: exact('Tokens of reasoning at their price'),
  images: exact('Images at their price'),
  request: exact('The completion itself'),
  total: exact('The sum of all that'),
  rounded_up: credits('The total, or the minimum where that is more, rounded up once to a millionth of a credit'),
  rule: z
    .enum(['usage', 'minimum', 'free', 'capped'])
    .describe(
      '`usage`: the cost is that. `minimum`: it is the minimum. `free`: nothing is charged. `capped`: the cost is the most it could be.',
    ),
})

/** What a receipt looks like on the wire. */
export const Receipt = z.object({
  object: z.literal('receipt'),
  completion_id: z.string(),
  account_id: z.string(),
  key_id: z.string(),
  issued_at: time.describe('A later receipt of the same completion may show more refunds'),
  model: z.string(),
  served_by: z.string().nullable(),
  stream: z.boolean(),
  state: z.enum(['completed', 'failed', 'cancelled', 'expired']),
  error: z.string().nullable().describe('The code of the error it ended with'),
  attempts: z.int().nullable(),
  created_at: time,
  ended_at: time,
  usage: z.object({
    input_tokens: z.int().describe('Without those that were cached or written to a cache'),
    cached_input_tokens: z.int(),
    cache_write_tokens: z.int(),
    output_tokens: z.int().describe('Without those of reasoning'),
    reasoning_tokens: z.int(),
    images: z.int(),
    source: z
      .enum(['reported', 'capped', 'estimated', 'none'])
      .describe(
        'Reported by the backend, capped at what the request could use, or counted by Weir; `none` where nothing is charged and nobody counted',
      ),
  }),
  price: PricePaid.nullable(),
  quote: credits('The most it could cost, as it was asked for'),
  reservation: z.object({
    credits: credits('What was set aside'),
    clamped_to: z.int().nullable().describe('The output cap, where the account could not pay for more'),
    state: z.string(),
    created_at: time,
    ended_at: time.nullable(),
  }),
  calculation: CostCalculation.nullable(),
  cost: credits('What it cost'),
  charged: credits('What of the cost the account paid'),
  uncollected: credits('What of the cost it could not pay'),
  refunded: credits('What was given back since'),
  entries: z.array(Entry),
})
export type Receipt = z.infer<typeof Receipt>
export const SignedReceipt = Receipt.extend({ signature: z.string() })
