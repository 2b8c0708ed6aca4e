import { z } from 'zod'
import type { Microcredits } from './credits.ts'
import type { Usage } from './usage.ts'

const PICOCREDITS_PER_MICROCREDIT = 1_000_000n

const Picocredits = z.codec(z.string().regex(/^\d{1,19}$/), z.bigint().nonnegative(), {
  decode: (text) => BigInt(text),
  encode: (amount) => amount.toString(),
})

/** The price of one token of each kind, in whole picocredits (a millionth of a microcredit). */
export const Price = z.object({ input: Picocredits, cachedInput: Picocredits, output: Picocredits })
export type Price = z.infer<typeof Price>

/** The exact cost of a usage, rounded up once to a whole microcredit. */
export function costOf(price: Price, usage: Usage): Microcredits {
  const picocredits =
    BigInt(usage.inputTokens) * price.input +
    BigInt(usage.cachedInputTokens) * price.cachedInput +
    BigInt(usage.outputTokens) * price.output
  return (picocredits + PICOCREDITS_PER_MICROCREDIT - 1n) / PICOCREDITS_PER_MICROCREDIT
}

/** How many output tokens an amount still pays for, once the input is paid at its dearest; not below 0. */
export function affordableOutput(price: Price, amount: Microcredits, inputTokens: number): number {
  const input = price.input > price.cachedInput ? price.input : price.cachedInput
  const left = amount * PICOCREDITS_PER_MICROCREDIT - BigInt(inputTokens) * input
  if (left < 0n) return 0
  const tokens = price.output === 0n ? BigInt(Number.MAX_SAFE_INTEGER) : left / price.output
  return tokens > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(tokens)
}

/** The most a request can cost: every input token at the dearer input price, and the whole output cap. */
export function quoteOf(price: Price, bound: { inputTokens: number; maxOutputTokens: number }): Microcredits {
  const input = price.input > price.cachedInput ? price.input : price.cachedInput
  return costOf(
    { ...price, input },
    { inputTokens: bound.inputTokens, cachedInputTokens: 0, outputTokens: bound.maxOutputTokens, source: 'estimated' },
  )
}
