import { creditsNumber } from '@weir/contracts'
import type { Balance, Entry, Grant, KeyLimit, PriceVersion, Action } from '@weir/ledger'
import type { UsageRow } from '@weir/store'

/** The books as they travel: amounts are numbers of credits, times ISO 8601 in UTC. */

export const renderBalance = ({ balance, reserved, available }: Balance) => ({
  balance: creditsNumber(balance),
  reserved: creditsNumber(reserved),
  available: creditsNumber(available),
})

export const renderGrant = (grant: Grant) => ({
  id: grant.id,
  object: 'grant' as const,
  kind: grant.kind,
  priority: grant.priority,
  credits: creditsNumber(grant.amount),
  balance: creditsNumber(grant.balance),
  reference: grant.reference,
  expires_at: timeOf(grant.expiresAt),
  revoked_at: timeOf(grant.revokedAt),
  created_at: grant.createdAt.toISOString(),
})

export const renderEntry = (entry: Entry) => ({
  object: 'entry' as const,
  sequence: entry.sequence,
  kind: entry.kind,
  credits: creditsNumber(entry.amount),
  grant_id: entry.grantId,
  completion_id: entry.completionId,
  action_id: entry.actionId,
  balance_after: entry.balanceAfter === null ? null : creditsNumber(entry.balanceAfter),
  reason: entry.reason,
  created_at: entry.createdAt.toISOString(),
})

export const renderAction = (action: Action) => ({
  id: action.id,
  object: 'action' as const,
  kind: action.kind,
  credits: creditsNumber(action.moved),
  reference: action.reference,
  grant_id: action.grantId,
  completion_id: action.completionId,
  actor: action.actor,
  reason: action.reason,
  created_at: action.createdAt.toISOString(),
})

export const renderUsage = (row: UsageRow) => ({
  object: 'usage' as const,
  starts_at: row.startsAt.toISOString(),
  model: row.model,
  key_id: row.keyId,
  requests: row.requests,
  input_tokens: row.inputTokens,
  cached_input_tokens: row.cachedInputTokens,
  cache_write_tokens: row.cacheWriteTokens,
  output_tokens: row.outputTokens,
  reasoning_tokens: row.reasoningTokens,
  images: row.images,
  credits: creditsNumber(row.charged),
})

export const renderKeyLimits = (limits: readonly KeyLimit[]) => ({
  object: 'key_limits' as const,
  limits: limits.map(({ period, amount, spent, reserved }) => ({
    period,
    credits: creditsNumber(amount),
    spent: creditsNumber(spent),
    reserved: creditsNumber(reserved),
  })),
})

/** Prices are told for so many tokens, whatever number they were set for: one picocredit a token is one microcredit. */
const PER_TOKENS = 1_000_000

const PICOCREDITS_PER_MICROCREDIT = 1_000_000n

/** What was not said is told as what follows from it. */
export const renderTokenPrice = ({ input, cachedInput, output, ...price }: PriceVersion['price']) => ({
  input: creditsNumber(input),
  cached_input: creditsNumber(cachedInput),
  cache_write: creditsNumber(price.cacheWrite ?? input),
  output: creditsNumber(output),
  reasoning: creditsNumber(price.reasoning ?? output),
  per: PER_TOKENS,
  image: ofOne(price.image),
  request: ofOne(price.request),
  minimum: ofOne(price.minimum),
  batch_discount: price.batchDiscount ?? 0,
})

/** What is not for tokens is always set in whole microcredits. */
const ofOne = (picocredits = 0n) => creditsNumber(picocredits / PICOCREDITS_PER_MICROCREDIT)

export const renderPrice = ({ id, model, price, effectiveAt, source }: PriceVersion, served: boolean) => ({
  id,
  object: 'price' as const,
  model,
  ...renderTokenPrice(price),
  effective_at: effectiveAt.toISOString(),
  source,
  served,
})

const timeOf = (time: Date | null) => time && time.toISOString()
