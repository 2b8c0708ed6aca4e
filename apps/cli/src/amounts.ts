import { formatCredits, parseCredits } from '@weir/contracts'

/** Amounts to stand under one another: exact, all with as many decimals as the finest of them, equally wide. */
export const alignAmounts = (credits: readonly number[]): string[] => align(credits.map(exact))

/** Like `alignAmounts`, for movements: what comes in has a plus. */
export const alignMovements = (credits: readonly number[]): string[] =>
  align(credits.map((amount) => (amount > 0 ? `+${exact(amount)}` : exact(amount))))

function align(texts: readonly string[]): string[] {
  const decimals = Math.max(0, ...texts.map((text) => fractionOf(text).length))
  const equallyFine = decimals === 0 ? texts : texts.map((text) => withDecimals(text, decimals))
  const width = Math.max(0, ...equallyFine.map((text) => text.length))
  return equallyFine.map((text) => text.padStart(width))
}

const fractionOf = (text: string): string => text.split('.')[1] ?? ''

const withDecimals = (text: string, decimals: number): string =>
  `${text.split('.')[0]}.${fractionOf(text).padEnd(decimals, '0')}`

/** Credits of the wire as exact text: 5e-6 is '0.000005'. */
function exact(credits: number): string {
  const amount = parseCredits(Math.abs(credits))
  // Finer than a microcredit: no server of ours says that, and rounding it here would hide that one did.
  if (amount === undefined) return String(credits)
  return formatCredits(credits < 0 ? -amount : amount)
}
