import type { Calculation, Receipt as Receipted } from '@weir/completions'
import { creditsNumber, formatCredits, generatedTokens, promptTokens } from '@weir/contracts'
import type { PriceVersion } from '@weir/ledger'
import { renderEntry } from '../render-ledger.ts'
import type { Receipt } from './schema.ts'

/** The wire form, whose JSON is what is signed. */
export function renderReceipt({ completion, end, reservation, ...receipt }: Receipted, issuedAt: Date): Receipt {
  return {
    object: 'receipt',
    completion_id: completion.id,
    account_id: receipt.accountId,
    key_id: completion.keyId,
    issued_at: issuedAt.toISOString(),
    model: completion.model,
    served_by: end.servedBy,
    stream: completion.stream,
    state: end.state,
    error: end.errorCode,
    attempts: end.attempts,
    created_at: completion.createdAt.toISOString(),
    ended_at: end.endedAt.toISOString(),
    usage: {
      input_tokens: end.usage.inputTokens,
      cached_input_tokens: end.usage.cachedInputTokens,
      cache_write_tokens: end.usage.cacheWriteTokens ?? 0,
      output_tokens: end.usage.outputTokens,
      reasoning_tokens: end.usage.reasoningTokens ?? 0,
      images: end.usage.images ?? 0,
      source: sourceOf(end),
    },
    price: receipt.price ? renderPrice(receipt.price) : null,
    quote: creditsNumber(reservation.quote),
    reservation: {
      credits: creditsNumber(reservation.amount),
      clamped_to: end.clampedTo,
      state: reservation.state,
      created_at: reservation.createdAt.toISOString(),
      ended_at: reservation.closedAt?.toISOString() ?? null,
    },
    calculation: receipt.calculation ? renderCalculation(receipt.calculation) : null,
    cost: creditsNumber(receipt.cost),
    charged: creditsNumber(receipt.charged),
    uncollected: creditsNumber(receipt.uncollected),
    refunded: creditsNumber(receipt.refunded),
    entries: receipt.entries.map(renderEntry),
  }
}

/** Where nothing is charged, nobody counts: no backend has reported those zeros. */
function sourceOf({ state, usage }: Receipted['end']): Receipt['usage']['source'] {
  const isNothing = promptTokens(usage) + generatedTokens(usage) === 0
  return isNothing && state !== 'completed' ? 'none' : usage.source
}

// A picocredit for one token is a microcredit for a million of them.
const renderPrice = ({ id, model, effectiveAt, price }: PriceVersion) => ({
  id,
  model,
  effective_at: effectiveAt.toISOString(),
  input: formatCredits(price.input),
  cached_input: formatCredits(price.cachedInput),
  cache_write: formatCredits(price.cacheWrite ?? price.input),
  output: formatCredits(price.output),
  reasoning: formatCredits(price.reasoning ?? price.output),
  per: 1_000_000,
  image: formatPicocredits(price.image ?? 0n),
  request: formatPicocredits(price.request ?? 0n),
  minimum: formatPicocredits(price.minimum ?? 0n),
  batch_discount: price.batchDiscount ?? 0,
})

const renderCalculation = ({ batchDiscount, parts, total, roundedUp, rule }: Calculation) => ({
  batch_discount: batchDiscount,
  input: formatPicocredits(parts.input),
  cached_input: formatPicocredits(parts.cachedInput),
  cache_write: formatPicocredits(parts.cacheWrite),
  output: formatPicocredits(parts.output),
  reasoning: formatPicocredits(parts.reasoning),
  images: formatPicocredits(parts.images),
  request: formatPicocredits(parts.request),
  total: formatPicocredits(total),
  rounded_up: creditsNumber(roundedUp),
  rule,
})

/** As credits: twelve decimals, without trailing zeros. */
function formatPicocredits(amount: bigint): string {
  const digits = amount.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}
