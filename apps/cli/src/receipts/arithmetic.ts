import {
  type CostParts,
  type Microcredits,
  type Price,
  batchPriceOf,
  costOf,
  costParts,
  formatCredits,
  generatedTokens,
  parseCredits,
  promptTokens,
  sumOfParts,
} from '@weir/contracts'
import { quoted } from './quoted.ts'
import type { Receipt } from './receipt.ts'

/** Computes a receipt again from its usage, its price and its entries. Every sum that is not as it says is a sentence. */
export function arithmeticFaults(receipt: Receipt): string[] {
  const [cost, charged] = [microcredits(receipt.cost), microcredits(receipt.charged)]
  const uncollected = microcredits(receipt.uncollected)
  const booked = (kind: string) => sumOf(receipt.entries.filter((entry) => entry.kind === kind))

  return [
    ...costFaults(receipt, cost),
    ...unless(isNothingCounted(receipt) || receipt.usage.source !== 'none', 'It shows tokens that nobody has counted.'),
    ...unless(charged + uncollected === cost, 'What was charged and what was not collected do not make up the cost.'),
    ...unless(booked('charge') === -charged, 'The charges among the entries do not make up what was charged.'),
    ...unless(booked('uncollected') === -uncollected, 'The entries do not show what was not collected.'),
    ...unless(booked('refund') === microcredits(receipt.refunded), 'The refunds among the entries do not add up.'),
    ...unless(microcredits(receipt.refunded) <= charged, 'More was refunded than was charged.'),
    ...unless(
      microcredits(receipt.reservation.credits) <= microcredits(receipt.quote),
      'More was reserved than quoted.',
    ),
  ]
}

const isNothingCounted = ({ usage }: Receipt): boolean => promptTokens(usage) + generatedTokens(usage) === 0

/** One from before prices had versions cannot be computed again. */
export const isComputable = ({ price, calculation }: Receipt): boolean => price !== null && calculation !== null

/** How the parts of a calculation are called, on the wire and in words. */
const parts: readonly [part: keyof CostParts, field: Part, words: string][] = [
  ['input', 'input', 'input'],
  ['cachedInput', 'cached_input', 'cached input'],
  ['cacheWrite', 'cache_write', 'cache write'],
  ['output', 'output', 'output'],
  ['reasoning', 'reasoning', 'reasoning'],
  ['images', 'images', 'part of the images'],
]
type Part = Exclude<keyof NonNullable<Receipt['calculation']>, 'batch_discount' | 'rounded_up' | 'rule'>

function costFaults({ usage, price: written, calculation }: Receipt, cost: Microcredits): string[] {
  if (written === null || calculation === null) return []
  const discount = calculation.batch_discount
  const price = batchPriceOf({ ...priceOf(written), batchDiscount: discount })
  const computed = costParts(price, usage)
  const [total, roundedUp] = [sumOfParts(computed), costOf(price, usage)]
  const isMinimum = total < price.minimum!
  const fits = {
    usage: cost === roundedUp && !isMinimum,
    minimum: cost === roundedUp && isMinimum,
    free: cost === 0n,
    capped: cost < roundedUp,
  }[calculation.rule]
  const comesTo = `Its tokens at its price come to ${formatCredits(roundedUp)} credits`

  return [
    ...unless(discount === 0 || discount === written.batch_discount, 'Its discount is not the one of its price.'),
    ...parts.flatMap(([part, field, words]) =>
      unless(picocredits(calculation[field]) === computed[part], `The ${words} was not multiplied rightly.`),
    ),
    ...unless(picocredits(calculation.request) === computed.request, 'The completion itself has another price.'),
    ...unless(picocredits(calculation.total) === total, 'The total is not the sum of its parts.'),
    ...unless(microcredits(calculation.rounded_up) === roundedUp, `${comesTo}, not to what the calculation says.`),
    ...unless(
      fits,
      `${comesTo}, and a cost of ${formatCredits(cost)} does not follow by the rule ${calculation.rule}.`,
    ),
  ]
}

/** A token costs as many picocredits as a million of them cost microcredits; other prices are for one. */
function priceOf(written: NonNullable<Receipt['price']>): Required<Price> {
  return {
    input: microcredits(written.input),
    cachedInput: microcredits(written.cached_input),
    cacheWrite: microcredits(written.cache_write ?? written.input),
    output: microcredits(written.output),
    reasoning: microcredits(written.reasoning ?? written.output),
    image: picocredits(written.image),
    request: picocredits(written.request),
    minimum: picocredits(written.minimum),
    batchDiscount: written.batch_discount,
  }
}

const unless = (isSo: boolean, sentence: string): string[] => (isSo ? [] : [sentence])

const sumOf = (entries: Receipt['entries']): Microcredits =>
  entries.reduce((sum, { credits }) => sum + microcredits(credits), 0n)

/** Amounts of the wire are exact to the microcredit; one that is not was never ours. */
function microcredits(credits: number | string): Microcredits {
  const isNegative = typeof credits === 'number' && credits < 0
  const amount = parseCredits(isNegative ? -credits : credits)
  if (amount === undefined) throw new NotAnAmount(credits)
  return isNegative ? -amount : amount
}

function picocredits(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,30})(?:\.(\d{1,12}))?$/.exec(text) ?? []
  if (whole === undefined) throw new NotAnAmount(text)
  return BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'))
}

export class NotAnAmount extends Error {
  constructor(text: number | string) {
    super(`${quoted(text)} is no amount of credits.`)
    this.name = 'NotAnAmount'
  }
}
