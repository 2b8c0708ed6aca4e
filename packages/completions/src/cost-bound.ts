import type { Microcredits } from '@weir/contracts'
import type { ReserveVerdict } from '@weir/ledger'
import type { Quote } from './quote.ts'

/** What a batch may still reserve, where its owner has bounded it. Lines that are admitted at once share it. */
export type CostLeft = { amount: Microcredits }

/** A line of a batch can cost more than the batch may still reserve. */
export class CostBoundReached extends Error {}

type Reserve = (quote: Quote) => Promise<ReserveVerdict>

/** Reserves only what is left, and takes it from that; `isReached` tells whether the last quote was more. */
export function withinCost(left: CostLeft, reserve: Reserve): Reserve & { isReached(): boolean } {
  let isReached = false

  async function reserveWithin(quote: Quote): Promise<ReserveVerdict> {
    isReached = quote.amount > left.amount
    if (isReached) return { kind: 'insufficient_credits', available: left.amount, reserved: 0n }
    left.amount -= quote.amount
    let verdict: ReserveVerdict | undefined
    try {
      verdict = await reserve(quote)
      return verdict
    } finally {
      // What may have been reserved, for all we know, stays taken.
      if (verdict && verdict.kind !== 'reserved') left.amount += quote.amount
    }
  }
  return Object.assign(reserveWithin, { isReached: () => isReached })
}
