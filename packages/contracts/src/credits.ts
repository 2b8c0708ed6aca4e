import { z } from 'zod'

/** Money: whole microcredits, 1 credit = 1,000,000. Always bigint, never a float. */
export type Microcredits = bigint

const MICROCREDITS_PER_CREDIT = 1_000_000n
const decimal = /^(\d{1,12})(?:\.(\d{1,6}))?$/

/** Microcredits as they travel inside our own JSON, where a number would lose digits past 2^53. */
export const MicrocreditsText = z.codec(z.string().regex(/^\d{1,19}$/), z.bigint().nonnegative(), {
  decode: (text) => BigInt(text),
  encode: (amount) => amount.toString(),
})

/** Reads credits written by a person or client: a number or decimal text with at most six decimals. Undefined when it is not that. */
export function parseCredits(credits: number | string): Microcredits | undefined {
  const [, whole, fraction = ''] = decimal.exec(typeof credits === 'number' ? plainDecimal(credits) : credits) ?? []
  if (whole === undefined) return undefined
  return BigInt(whole) * MICROCREDITS_PER_CREDIT + BigInt(fraction.padEnd(6, '0'))
}

/** JavaScript prints a few millionths as `5e-6`; what is finer than a millionth keeps its exponent and is refused. */
const isMillionths = (value: number): boolean => value < 1e-5 && value === Number(value.toFixed(6))
const plainDecimal = (value: number): string => (isMillionths(value) ? value.toFixed(6) : String(value))

/** Credits as exact decimal text, without trailing zeros: 1500000n is '1.5'. */
export function formatCredits(amount: Microcredits): string {
  const sign = amount < 0n ? '-' : ''
  const absolute = amount < 0n ? -amount : amount
  const fraction = (absolute % MICROCREDITS_PER_CREDIT).toString().padStart(6, '0').replace(/0+$/, '')
  return `${sign}${absolute / MICROCREDITS_PER_CREDIT}${fraction && `.${fraction}`}`
}

/** Credits as a JSON number for the wire. Exact below 2^33 credits, over eight thousand million. */
export const creditsNumber = (amount: Microcredits): number => Number(formatCredits(amount))
