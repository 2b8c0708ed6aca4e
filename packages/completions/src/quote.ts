import { countedInputBound, inputTokenBound } from '@weir/backends'
import {
  type CompletionRequest,
  type Microcredits,
  type Price,
  affordableOutput,
  imagesIn,
  quoteOf,
} from '@weir/contracts'
import type { ReserveVerdict } from '@weir/ledger'

/** What a request can cost at most, and the least that lets it say a word. */
export type Quote = { amount: Microcredits; least: Microcredits }

type Refusal = Exclude<ReserveVerdict, { kind: 'reserved' }>

/**
 * `quote` is the most it can be charged: what is reserved. `maxOutputTokens` is below the request's where the account
 * clamps and cannot pay for more.
 */
export type Reserved =
  | { kind: 'reserved'; quote: Microcredits; maxOutputTokens: number }
  | { kind: 'refused'; refusal: Refusal; needed: Microcredits }

/**
 * The bound by bytes is up to this many times what a prompt really has, hardly more. Who cannot pay an eighth of it, with
 * a single token of output, is refused without counting: counting is work.
 */
const WIDEST_BOUND = 8n

/**
 * Reserves what a request can cost. The bound of its input takes no tokenizer, and what is not used comes back; only when
 * the account cannot cover it, the input is counted and less is asked for. No input has more tokens than `contextWindow`.
 */
export async function reserveQuote(
  price: Price,
  request: CompletionRequest,
  contextWindow: number,
  reserve: (quote: Quote) => Promise<ReserveVerdict>,
): Promise<Reserved> {
  const { maxOutputTokens } = request
  const wide = quoteFor(price, request, Math.min(inputTokenBound(request), contextWindow))
  const first = await reserve(wide)
  if (first.kind === 'reserved' && first.amount === wide.amount)
    return { kind: 'reserved', quote: wide.amount, maxOutputTokens }
  if (first.kind !== 'reserved' && !mayStillFit(first, wide))
    return { kind: 'refused', refusal: first, needed: wide.amount }

  const inputTokens = Math.min(await countedInputBound(request), contextWindow)
  const narrow = quoteFor(price, request, inputTokens)
  // What was reserved below the quote is all there was to reserve: asking again would give no more.
  const second = first.kind !== 'reserved' && narrow.amount < wide.amount ? await reserve(narrow) : first
  if (second.kind !== 'reserved') return { kind: 'refused', refusal: second, needed: narrow.amount }
  const choices = request.choices ?? 1
  const affordable = Math.floor(
    affordableOutput(price, second.amount, { inputTokens, images: imagesIn(request) }) / choices,
  )
  return {
    kind: 'reserved',
    quote: second.amount,
    maxOutputTokens: Math.max(1, Math.min(affordable, maxOutputTokens)),
  }
}

/** The most a request can cost, by a bound of its input that takes no tokenizer. */
export const mostCostOf = (price: Price, request: CompletionRequest, contextWindow: number): Microcredits =>
  quoteFor(price, request, Math.min(inputTokenBound(request), contextWindow)).amount

function quoteFor(price: Price, request: CompletionRequest, inputTokens: number): Quote {
  const { maxOutputTokens, choices = 1 } = request
  const bound = { inputTokens, images: imagesIn(request) }
  return {
    amount: quoteOf(price, { ...bound, maxOutputTokens: maxOutputTokens * choices }),
    least: quoteOf(price, { ...bound, maxOutputTokens: choices }),
  }
}

/** Whether a narrower bound of the input could change the answer: the output may still be clamped, to a token. */
function mayStillFit(refusal: Refusal, { least }: Quote): boolean {
  const isShort = refusal.kind === 'insufficient_credits' || refusal.kind === 'key_limit_exceeded'
  return isShort && refusal.available > 0n && refusal.available * WIDEST_BOUND >= least
}
