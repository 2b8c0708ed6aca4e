import { z } from 'zod'

/** What the ledger's answers look like, for the API reference. */
const credits = (description: string) => z.number().describe(`${description}, in credits with at most six decimals`)
const time = (description: string) => z.string().describe(`${description}, in ISO 8601, UTC`)
const GrantKind = z.enum(['promotional', 'subscription', 'purchased'])

export const Balance = z.object({
  balance: credits('What grants hold that have not ended'),
  reserved: credits('Set aside for completions that are waiting or running'),
  available: credits('What new completions can use'),
})

export const Grant = z.object({
  id: z.string(),
  object: z.literal('grant'),
  kind: GrantKind,
  priority: z.int().describe('Lower ones are drawn first, then the earlier expiry, then promotional before paid'),
  credits: credits('What was given'),
  balance: credits('What is left of it'),
  reference: z.string(),
  expires_at: time('When what is left of it ends').nullable(),
  revoked_at: time('When it was ended').nullable(),
  created_at: z.string(),
})

export const Credits = Balance.extend({
  object: z.literal('credits'),
  grants: z.array(Grant).describe('Those that can be spent, in the order in which they are drawn'),
})

export const Entry = z.object({
  object: z.literal('entry'),
  sequence: z.int(),
  kind: z.enum(['grant', 'charge', 'refund', 'adjustment', 'expiry', 'revocation', 'uncollected']),
  credits: credits('Positive what came in, negative what went out; `uncollected` moves nothing'),
  grant_id: z.string().nullable(),
  completion_id: z.string().nullable().describe('The one that was charged, or given back to'),
  action_id: z.string().nullable(),
  balance_after: z.number().nullable().describe('Of the grant, after this entry'),
  reason: z.string().nullable(),
  created_at: z.string(),
})

export const Usage = z.object({
  object: z.literal('usage'),
  starts_at: time('When the hour, day or month of UTC begins in which the completions ended'),
  model: z.string().nullable(),
  key_id: z.string().nullable(),
  requests: z.int(),
  input_tokens: z.int().describe('Without those that were cached or written to a cache'),
  cached_input_tokens: z.int(),
  cache_write_tokens: z.int(),
  output_tokens: z.int().describe('Without those of reasoning'),
  reasoning_tokens: z.int(),
  images: z.int(),
  credits: credits('What was charged; refunds are not subtracted'),
})

export const Action = z.object({
  id: z.string(),
  object: z.literal('action'),
  kind: z.enum(['grant', 'revoke', 'expire', 'adjust', 'refund', 'freeze', 'unfreeze']),
  credits: credits('What it moved: positive what came in, negative what went out'),
  reference: z.string(),
  grant_id: z.string().nullable(),
  completion_id: z.string().nullable(),
  actor: z.string(),
  reason: z.string().nullable(),
  created_at: z.string(),
})

export const KeyLimits = z.object({
  object: z.literal('key_limits'),
  limits: z.array(
    z.object({
      period: z.enum(['day', 'month', 'total']).describe('Of UTC; a completion counts where it began'),
      credits: credits('What the key may spend in it'),
      spent: credits('What it has spent in the present one, since it is limited'),
      reserved: credits('What its running completions have set aside'),
    }),
  ),
})

export const TokenPrice = z.object({
  input: z.number(),
  cached_input: z.number(),
  cache_write: z.number().describe('For input that the backend writes to a cache'),
  output: z.number(),
  reasoning: z.number(),
  per: z.int().describe('Tokens that the prices before this, in credits, are for'),
  image: credits('For each image in a request'),
  request: credits('For each completion that is charged'),
  minimum: credits('The least that a completion costs which is charged'),
  batch_discount: z.int().describe('Percent that a line of a batch pays less'),
})

export const Price = z.object({
  id: z.string(),
  object: z.literal('price'),
  model: z.string(),
  ...TokenPrice.shape,
  effective_at: time('From when on it is in force, until the next one of its model'),
  source: z.enum(['catalogue', 'admin']),
  served: z.boolean().describe('Whether the model is still in the catalogue'),
})

export const LedgerCheck = z.object({
  object: z.literal('ledger_check'),
  ok: z.boolean(),
  checked_at: z.string(),
  accounts: z.int(),
  entries: z.int(),
  reservations: z.int(),
  findings: z.array(
    z.object({
      invariant: z.string(),
      account_id: z.string().nullable(),
      subject: z.string().nullable(),
      message: z.string(),
    }),
  ),
  more_findings: z.int().describe('How many are not told'),
})
