import type { Calculation, Receipt as Receipted } from '@weir/completions'
import { creditsNumber, formatCredits } from '@weir/contracts'
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
      output_tokens: end.usage.outputTokens,
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
  const isNothing = usage.inputTokens + usage.cachedInputTokens + usage.outputTokens === 0
  return isNothing && state !== 'completed' ? 'none' : usage.source
}

// A picocredit for one token is a microcredit for a million of them.
const renderPrice = ({ id, model, effectiveAt, price }: PriceVersion) => ({
  id,
  model,
  effective_at: effectiveAt.toISOString(),
  input: formatCredits(price.input),
  cached_input: formatCredits(price.cachedInput),
  output: formatCredits(price.output),
  per: 1_000_000,
})

const renderCalculation = ({ input, cachedInput, output, roundedUp, rule }: Calculation) => ({
  input: formatPicocredits(input),
  cached_input: formatPicocredits(cachedInput),
  output: formatPicocredits(output),
  total: formatPicocredits(input + cachedInput + output),
  rounded_up: creditsNumber(roundedUp),
  rule,
})

/** As credits: twelve decimals, without trailing zeros. */
function formatPicocredits(amount: bigint): string {
  const digits = amount.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '')
}
