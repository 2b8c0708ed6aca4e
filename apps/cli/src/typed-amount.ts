import { type Microcredits, formatCredits, parseCredits } from '@weir/contracts'
import { InvalidArgumentError } from 'commander'

/* Credits travel as text, so that no digit is lost on the way. */

/** What the server takes at most: a typing error should not make a fortune. */
const MOST_CREDITS = '1000000000'
const form = `at most ${MOST_CREDITS}, with at most six decimals`

/** An amount to give. */
export const amountAboveZero = (typed: string): string =>
  formatCredits(amountOf(typed, (credits) => credits > 0n, `It must be above zero, ${form}.`))

/** An amount to move: below zero it takes. */
export function movement(typed: string): string {
  const [, sign = '', size = ''] = /^([+-]?)(.*)$/s.exec(typed) ?? []
  const credits = amountOf(size, (credits) => credits > 0n, `It must be other than zero, either way ${form}.`)
  return formatCredits(sign === '-' ? -credits : credits)
}

/** An amount that may be nothing. */
export const amountOrZero = (typed: string): string =>
  formatCredits(amountOf(typed, () => true, `It must be 0 or more, ${form}.`))

/** An amount to stop at, or `none`. */
export const amountOrNone = (typed: string): string =>
  typed === 'none' ? typed : formatCredits(amountOf(typed, () => true, `It must be 'none', or 0 or more, ${form}.`))

function amountOf(typed: string, isFine: (credits: Microcredits) => boolean, sentence: string): Microcredits {
  const credits = parseCredits(typed)
  if (credits === undefined || !isFine(credits) || credits > parseCredits(MOST_CREDITS)!)
    throw new InvalidArgumentError(sentence)
  return credits
}
