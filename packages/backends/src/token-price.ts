import type { Price } from '@weir/contracts'

/** How the parts of a price are called in a file and on the wire. */
export const priceFields = {
  input: 'input',
  cachedInput: 'cached_input',
  cacheWrite: 'cache_write',
  output: 'output',
  reasoning: 'reasoning',
  image: 'image',
  request: 'request',
  minimum: 'minimum',
  batchDiscount: 'batch_discount',
} as const satisfies Record<keyof Price, string>

const ofTokens = ['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const
const ofOne = ['image', 'request', 'minimum'] as const

/**
 * A price as people write it: credits for `per` tokens, or for one image or completion, and percent for a line of a batch.
 * Text keeps every digit, which a number may not.
 */
export type WrittenPrice = { input: string; output: string; per: string } & {
  [Part in keyof Price]?: string | undefined
}

export type PriceProblem = { field: (typeof priceFields)[keyof Price] | 'per'; message: string }

const PICOCREDITS_PER_CREDIT = 10n ** 12n
const PICOCREDITS_PER_MICROCREDIT = 10n ** 6n

/**
 * No token, image or completion costs more, in picocredits: a thousand credits. So the dearest price times the longest
 * prompt and answer there can be is an amount that the books can hold (a `bigint` of microcredits).
 */
export const DEAREST = 10n ** 15n
/** No model may answer more, nor see more at once. */
export const MOST_TOKENS = 1_000_000_000
const decimal = /^\+?(\d{0,30})(?:\.(\d{0,30}))?(?:e([+-]?\d{1,2}))?$/i

/**
 * The price in whole picocredits, or what is wrong with it. Exact: no amount ever is a float. What is not for tokens is in
 * whole microcredits, as all amounts are that somebody is told.
 */
export function tokenPriceOf(written: WrittenPrice): { price: Price } | { problems: PriceProblem[] } {
  const problems: PriceProblem[] = []
  const per = decimalOf(written.per)
  const tokens = per && per.scale === 0 && per.digits > 0n ? per.digits : undefined
  if (tokens === undefined) problems.push({ field: 'per', message: 'must be a whole number of tokens, at least 1' })

  const amountsOf = <Part extends keyof Price>(parts: readonly Part[], unit: Unit) =>
    parts.flatMap((part) => {
      const text = written[part]
      if (text === undefined) return []
      const amount = picocreditsOf(text, unit)
      if (typeof amount === 'bigint') return [[part, amount] as const]
      if (unit !== unknownTokens || amount.isBadNumber)
        problems.push({ field: priceFields[part], message: amount.message })
      return []
    })
  const amounts = [
    ...amountsOf(ofTokens, tokens === undefined ? unknownTokens : unitOf(tokens)),
    ...amountsOf(ofOne, one),
  ]
  const discount = written.batchDiscount === undefined ? undefined : percentOf(written.batchDiscount)
  if (discount === 'wrong')
    problems.push({ field: 'batch_discount', message: 'must be a whole number of percent, 0 to 100' })
  if (problems.length > 0) return { problems }

  const price = Object.fromEntries(amounts) as Omit<Price, 'cachedInput' | 'batchDiscount'>
  return {
    price: { cachedInput: price.input, ...price, ...(typeof discount === 'number' && { batchDiscount: discount }) },
  }
}

/** What an amount is for, and how fine it may be. */
type Unit = { count: bigint; finest: bigint; tooFine: string; tooDear: string }

const unitOf = (tokens: bigint): Unit => ({
  count: tokens,
  finest: 1n,
  tooFine: 'is finer than one picocredit (0.000000000001 credits) per token',
  tooDear: 'is more than a thousand credits per token',
})
const unknownTokens = unitOf(1n)
const one: Unit = {
  count: 1n,
  finest: PICOCREDITS_PER_MICROCREDIT,
  tooFine: 'is finer than one microcredit (0.000001 credits)',
  tooDear: 'is more than a thousand credits',
}

function picocreditsOf(credits: string, unit: Unit): bigint | { message: string; isBadNumber: boolean } {
  const amount = decimalOf(credits)
  if (!amount) return { message: 'must be a number of credits, 0 or more', isBadNumber: true }
  const dividend = amount.digits * PICOCREDITS_PER_CREDIT
  const divisor = 10n ** BigInt(amount.scale) * unit.count
  if (dividend % (divisor * unit.finest) !== 0n) return { message: unit.tooFine, isBadNumber: false }
  const picocredits = dividend / divisor
  return picocredits > DEAREST ? { message: unit.tooDear, isBadNumber: false } : picocredits
}

function percentOf(text: string): number | 'wrong' {
  const percent = decimalOf(text)
  return percent && percent.scale === 0 && percent.digits <= 100n ? Number(percent.digits) : 'wrong'
}

/** `digits` divided by ten to the power of `scale`, without trailing zeros; undefined when the text is no such number. */
function decimalOf(text: string): { digits: bigint; scale: number } | undefined {
  const [, whole = '', fraction = '', exponent = '0'] = decimal.exec(text) ?? []
  if (whole === '' && fraction === '') return undefined
  let digits = BigInt(whole + fraction)
  let scale = fraction.length - Number(exponent)
  for (; scale < 0; scale += 1) digits *= 10n
  for (; scale > 0 && digits % 10n === 0n; scale -= 1) digits /= 10n
  return { digits, scale }
}
