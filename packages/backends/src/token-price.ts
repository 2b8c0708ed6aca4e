import type { Price } from '@weir/contracts'

/** A price as people write it: credits for `per` tokens. Text keeps every digit, which a number may not. */
export type WrittenPrice = { input: string; cachedInput?: string | undefined; output: string; per: string }

export type PriceProblem = { field: 'input' | 'cached_input' | 'output' | 'per'; message: string }

const PICOCREDITS_PER_CREDIT = 10n ** 12n

/**
 * No token costs more, in picocredits: a thousand credits. So the dearest price times the longest prompt and answer there
 * can be is an amount that the books can hold (a `bigint` of microcredits).
 */
export const DEAREST_TOKEN = 10n ** 15n
/** No model may answer more, nor see more at once. */
export const MOST_TOKENS = 1_000_000_000
const decimal = /^\+?(\d{0,30})(?:\.(\d{0,30}))?(?:e([+-]?\d{1,2}))?$/i

/** The price of one token in whole picocredits, or what is wrong with it. Exact: no amount ever is a float. */
export function tokenPriceOf(written: WrittenPrice): { price: Price } | { problems: PriceProblem[] } {
  const problems: PriceProblem[] = []
  const per = decimalOf(written.per)
  const tokens = per && per.scale === 0 && per.digits > 0n ? per.digits : undefined
  if (tokens === undefined) problems.push({ field: 'per', message: 'must be a whole number of tokens, at least 1' })

  const amountOf = (field: 'input' | 'cached_input' | 'output', text: string): bigint => {
    const amount = picocreditsOf(text, tokens ?? 1n)
    if (typeof amount === 'bigint') return amount
    if (tokens !== undefined || amount.isBadNumber) problems.push({ field, message: amount.message })
    return 0n
  }
  const input = amountOf('input', written.input)
  const price = {
    input,
    cachedInput: written.cachedInput === undefined ? input : amountOf('cached_input', written.cachedInput),
    output: amountOf('output', written.output),
  }
  return problems.length > 0 ? { problems } : { price }
}

function picocreditsOf(credits: string, tokens: bigint): bigint | { message: string; isBadNumber: boolean } {
  const amount = decimalOf(credits)
  if (!amount) return { message: 'must be a number of credits, 0 or more', isBadNumber: true }
  const dividend = amount.digits * PICOCREDITS_PER_CREDIT
  const divisor = 10n ** BigInt(amount.scale) * tokens
  if (dividend % divisor !== 0n) {
    return { message: 'is finer than one picocredit (0.000000000001 credits) per token', isBadNumber: false }
  }
  const picocredits = dividend / divisor
  if (picocredits > DEAREST_TOKEN) return { message: 'is more than a thousand credits per token', isBadNumber: false }
  return picocredits
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
