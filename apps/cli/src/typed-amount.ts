import { formatCredits, parseCredits } from '@weir/contracts'
import { InvalidArgumentError } from 'commander'

/* Credits travel as text, so that no digit is lost on the way. */

/** An amount to give. */
export function amountAboveZero(typed: string): string {
  const credits = parseCredits(typed)
  if (!credits) throw new InvalidArgumentError('It must be an amount above zero with at most six decimals.')
  return formatCredits(credits)
}

/** An amount to move: below zero it takes. */
export function movement(typed: string): string {
  const [, sign = '', size = ''] = /^([+-]?)(.*)$/s.exec(typed) ?? []
  const credits = parseCredits(size)
  if (!credits) throw new InvalidArgumentError('It must be an amount other than zero with at most six decimals.')
  return formatCredits(sign === '-' ? -credits : credits)
}

/** An amount that may be nothing. */
export function amountOrZero(typed: string): string {
  const credits = parseCredits(typed)
  if (credits === undefined)
    throw new InvalidArgumentError('It must be an amount of 0 or more with at most six decimals.')
  return formatCredits(credits)
}

/** An amount to stop at, or `none`. */
export function amountOrNone(typed: string): string {
  if (typed === 'none') return typed
  const credits = parseCredits(typed)
  if (credits === undefined)
    throw new InvalidArgumentError("It must be an amount with at most six decimals, or 'none'.")
  return formatCredits(credits)
}
