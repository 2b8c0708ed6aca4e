import {
  type AccountId,
  type CompletionId,
  type CostParts,
  type Microcredits,
  type Price,
  type Usage,
  batchPriceOf,
  costOf,
  costParts,
  sumOfParts,
} from '@weir/contracts'
import type { Entry, Ledger, PriceVersion, Prices, Reservation } from '@weir/ledger'
import type { CompletionEnd, CompletionRecord, CompletionRecords } from '@weir/store'

/** All that a completion did to its account's credits, with everything that is needed to compute it again. */
export type Receipt = {
  accountId: AccountId
  completion: Omit<CompletionRecord, 'end'>
  end: CompletionEnd
  reservation: Reservation
  /** The version it was quoted with; undefined for a completion from before prices had versions. */
  price: PriceVersion | undefined
  calculation: Calculation | undefined
  cost: Microcredits
  charged: Microcredits
  /** What of the cost the account could not pay. */
  uncollected: Microcredits
  refunded: Microcredits
  /** Every movement of credits that it caused, oldest first. */
  entries: Entry[]
}

/** How a cost comes from usage and price, in whole picocredits (a millionth of a microcredit). */
export type Calculation = {
  /** So many percent less is each price than its version says: it was a line of a batch. */
  batchDiscount: number
  parts: CostParts
  total: bigint
  /** The total, or the minimum where that is more, rounded up to a whole microcredit. */
  roundedUp: Microcredits
  rule: CostRule
}

/**
 * `usage`: the cost is the calculated amount. `minimum`: that was less than the price's minimum, which is the cost. `free`:
 * by the published table nothing is charged. `capped`: the backend reported more than had been set aside for, and the cost
 * stayed at that.
 */
export type CostRule = 'usage' | 'minimum' | 'free' | 'capped'

export type ReceiptAnswer =
  | { kind: 'receipt'; receipt: Receipt }
  /** `archived`: it ended so long ago that its month was taken out of the books. */
  | { kind: 'not_found' | 'not_ended' | 'archived' }

export type ReceiptDeps = {
  completionRecords: Pick<CompletionRecords, 'find'>
  ledger: Pick<Ledger, 'reservationOf' | 'entriesOf'>
  priceVersions: Pick<Prices, 'find'>
}

/** The receipt of a completion that has ended. Asking again gives the same, but for refunds that came meanwhile. */
export async function receiptOf(deps: ReceiptDeps, accountId: AccountId, id: CompletionId): Promise<ReceiptAnswer> {
  const record = await deps.completionRecords.find(accountId, id)
  if (!record) return { kind: 'not_found' }
  const { end, ...completion } = record
  if (!end) return { kind: 'not_ended' }

  // It was settled in the transaction that ended it, so from here on nothing changes but for refunds.
  const reservation = await deps.ledger.reservationOf(id)
  if (!reservation) return { kind: 'archived' }
  const [price, entries] = await Promise.all([
    reservation.priceId === null ? undefined : deps.priceVersions.find(reservation.priceId),
    allEntriesOf(deps.ledger, accountId, id),
  ])

  const cost = reservation.cost ?? 0n
  const receipt = {
    accountId,
    completion,
    end,
    reservation,
    price,
    calculation: price && calculationOf(price.price, completion.batchDiscount, end.usage, cost),
    cost,
    charged: reservation.charged,
    uncollected: cost - reservation.charged,
    refunded: sumOf(entries, 'refund'),
    entries,
  }
  assertSound(receipt)
  return { kind: 'receipt', receipt }
}

const PAGE = 1_000

async function allEntriesOf(
  ledger: Pick<Ledger, 'entriesOf'>,
  accountId: AccountId,
  completionId: CompletionId,
): Promise<Entry[]> {
  const all: Entry[] = []
  for (;;) {
    const page = await ledger.entriesOf(accountId, { limit: PAGE, before: all.at(-1)?.sequence, completionId })
    all.push(...page)
    if (page.length < PAGE) return all.reverse()
  }
}

function calculationOf(listed: Price, batchDiscount: number, usage: Usage, cost: Microcredits): Calculation {
  const price = batchPriceOf({ ...listed, batchDiscount })
  const parts = costParts(price, usage)
  const [total, roundedUp] = [sumOfParts(parts), costOf(price, usage)]
  const byRule = total < (price.minimum ?? 0n) ? 'minimum' : 'usage'
  return {
    batchDiscount,
    parts,
    total,
    roundedUp,
    rule: cost === roundedUp ? byRule : cost === 0n ? 'free' : 'capped',
  }
}

/** A receipt is signed, and it must not say what is not so: where the books disagree there is none. */
function assertSound({ completion, calculation, cost, charged, uncollected, entries }: Receipt): void {
  const isDear = calculation !== undefined && cost > calculation.roundedUp
  const isUnbooked = sumOf(entries, 'charge') !== -charged || sumOf(entries, 'uncollected') !== -uncollected
  if (isDear) throw new Error(`completion ${completion.id} cost more than its usage at its price`)
  if (isUnbooked) throw new Error(`the entries of completion ${completion.id} are not what it was charged`)
}

const sumOf = (entries: readonly Entry[], kind: Entry['kind']): Microcredits =>
  entries.filter((entry) => entry.kind === kind).reduce((sum, { amount }) => sum + amount, 0n)
