import { z } from 'zod'

const Time = z.iso.datetime()

export const Account = z.object({ id: z.string(), name: z.string(), created_at: Time })
export type Account = z.infer<typeof Account>

/** With what operators decide about it. */
export const AccountInFull = Account.extend({ frozen: z.boolean(), shortage: z.string() })
export type AccountInFull = z.infer<typeof AccountInFull>

export const CreditsOfAccount = z.object({ balance: z.number(), reserved: z.number(), available: z.number() })
export type CreditsOfAccount = z.infer<typeof CreditsOfAccount>
export const AccountWithCredits = AccountInFull.extend({ credits: CreditsOfAccount })
export type AccountWithCredits = z.infer<typeof AccountWithCredits>

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  created_at: Time,
  revoked_at: Time.nullable(),
})
export type Key = z.infer<typeof Key>
export const NewKey = Key.omit({ revoked_at: true }).extend({ key: z.string() })
export type NewKey = z.infer<typeof NewKey>
export const RevokedKey = z.object({ id: z.string(), revoked_at: Time })
export type RevokedKey = z.infer<typeof RevokedKey>

export const Grant = z.object({
  id: z.string(),
  kind: z.string(),
  /** Lower ones are drawn first. */
  priority: z.number(),
  credits: z.number(),
  /** What is left of it. */
  balance: z.number(),
  reference: z.string().nullable(),
  expires_at: Time.nullable(),
  revoked_at: Time.nullable(),
  created_at: Time,
})
export type Grant = z.infer<typeof Grant>

export const Entry = z.object({
  sequence: z.number(),
  kind: z.string(),
  credits: z.number(),
  grant_id: z.string().nullable(),
  /** Of the grant; null where no grant had anything left to take from. */
  balance_after: z.number().nullable(),
  completion_id: z.string().nullable(),
  /** What an operator or time did, where it was no completion. */
  action_id: z.string().nullable(),
  reason: z.string().nullable(),
  created_at: Time,
})
export type Entry = z.infer<typeof Entry>

export const Action = z.object({
  id: z.string(),
  kind: z.string(),
  /** What came in is positive. */
  credits: z.number(),
  reference: z.string().nullable(),
  grant_id: z.string().nullable(),
  completion_id: z.string().nullable(),
  actor: z.string(),
  reason: z.string().nullable(),
  created_at: Time,
})
export type Action = z.infer<typeof Action>

export const KeyLimits = z.object({
  limits: z.array(z.object({ period: z.string(), credits: z.number(), spent: z.number(), reserved: z.number() })),
})
export type KeyLimits = z.infer<typeof KeyLimits>

const decided = z.number().nullable()
/** Null where none was decided. */
export const RateLimits = z.object({
  concurrent: decided,
  queued: decided,
  requests_per_minute: decided,
  tokens_per_minute: decided,
})
export type RateLimits = z.infer<typeof RateLimits>

/** In credits: for `per` tokens, or for one image or completion. */
export const Price = z.object({
  id: z.string(),
  model: z.string(),
  input: z.number(),
  cached_input: z.number(),
  cache_write: z.number(),
  output: z.number(),
  reasoning: z.number(),
  per: z.number(),
  image: z.number(),
  request: z.number(),
  minimum: z.number(),
  /** Percent. */
  batch_discount: z.number(),
  effective_at: Time,
  source: z.string(),
  /** Whether its model is still in the catalogue. */
  served: z.boolean(),
})
export type Price = z.infer<typeof Price>

export const Usage = z.object({
  starts_at: Time,
  model: z.string().nullable(),
  key_id: z.string().nullable(),
  requests: z.number(),
  input_tokens: z.number(),
  cached_input_tokens: z.number(),
  cache_write_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_tokens: z.number(),
  images: z.number(),
  credits: z.number(),
})
export type Usage = z.infer<typeof Usage>

const count = z.number()
/** Times are in Unix seconds: it is what its owner is told. */
export const Batch = z.object({
  id: z.string(),
  account_id: z.string(),
  key_id: z.string(),
  endpoint: z.string(),
  status: z.string(),
  paused: z.object({ reason: z.string(), since: count }).optional(),
  errors: z.object({ data: z.array(z.object({ message: z.string(), line: count.optional() })) }).optional(),
  created_at: count,
  expires_at: count,
  lines: z.object({
    total: count,
    pending: count,
    running: count,
    completed: count,
    failed: count,
    cancelled: count,
    expired: count,
  }),
  credits_consumed: z.number(),
  credits_reserved: z.number(),
})
export type Batch = z.infer<typeof Batch>

export const WebhookEndpoint = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  event_types: z.array(z.string()),
  enabled: z.boolean(),
  disabled_for: z.string().nullable(),
})
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>

export const WebhookDelivery = z.object({
  id: z.string(),
  event: z.object({ type: z.string(), created_at: count, data: z.object({ id: z.string() }) }),
  /** Null where it went to the address of a request. */
  webhook_endpoint_id: z.string().nullable(),
  url: z.string().nullable(),
  state: z.string(),
  attempt_count: count,
  next_attempt_at: count.nullable(),
})
export type WebhookDelivery = z.infer<typeof WebhookDelivery>

export const LedgerCheck = z.object({
  ok: z.boolean(),
  checked_at: Time,
  accounts: z.number(),
  entries: z.number(),
  reservations: z.number(),
  findings: z.array(
    z.object({
      invariant: z.string(),
      account_id: z.string().nullable(),
      subject: z.string().nullable(),
      message: z.string(),
    }),
  ),
  /** How many are not listed. */
  more_findings: z.number(),
})
export type LedgerCheck = z.infer<typeof LedgerCheck>

export const listOf = <T>(item: z.ZodType<T>) => z.object({ data: z.array(item) })

export const Backend = z.object({
  name: z.string(),
  kind: z.string(),
  slots: z.object({ limit: z.number(), in_use: z.number() }).nullable(),
  targets: z.array(
    z.object({
      target: z.string(),
      models: z.array(z.string()),
      quota_group: z.string(),
      cooling_until: Time.nullable(),
      workers: z.array(
        z.object({
          worker: z.string(),
          breaker: z.string(),
          successes: z.number(),
          failures: z.number(),
          last_error: z.object({ code: z.string(), at: Time }).nullable(),
        }),
      ),
    }),
  ),
})
export type Backend = z.infer<typeof Backend>
