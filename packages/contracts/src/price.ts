import { z } from 'zod'
import type { Microcredits } from './credits.ts'
import { type UsageCounts, noUsage } from './usage.ts'

const PICOCREDITS_PER_MICROCREDIT = 1_000_000n

const Picocredits = z.codec(z.string().regex(/^\d{1,19}$/), z.bigint().nonnegative(), {
  decode: (text) => BigInt(text),
  encode: (amount) => amount.toString(),
})

/** The price of one token, image or completion, in whole picocredits (a millionth of a microcredit). */
export const Price = z.object({
  input: Picocredits,
  cachedInput: Picocredits,
  /** Of a token that is written to a cache; as `input` when absent. */
  cacheWrite: Picocredits.optional(),
  output: Picocredits,
  /** Of a token of reasoning; as `output` when absent. */
  reasoning: Picocredits.optional(),
  /** Of each image in the request, beside the tokens that it has. */
  image: Picocredits.optional(),
  /** Of each completion that is charged at all. */
  request: Picocredits.optional(),
  /** The least that a completion costs which is charged at all. */
  minimum: Picocredits.optional(),
  /** So many percent less for a line of a batch. */
  batchDiscount: z.int().min(0).max(100).optional(),
})
export type Price = z.infer<typeof Price>

/** What each part of a usage costs, in picocredits: before the minimum, and before anything is rounded. */
export type CostParts = Record<
  'input' | 'cachedInput' | 'cacheWrite' | 'output' | 'reasoning' | 'images' | 'request',
  bigint
>

export const costParts = (price: Price, usage: UsageCounts): CostParts => ({
  input: BigInt(usage.inputTokens) * price.input,
  cachedInput: BigInt(usage.cachedInputTokens) * price.cachedInput,
  cacheWrite: BigInt(usage.cacheWriteTokens ?? 0) * (price.cacheWrite ?? price.input),
  output: BigInt(usage.outputTokens) * price.output,
  reasoning: BigInt(usage.reasoningTokens ?? 0) * (price.reasoning ?? price.output),
  images: BigInt(usage.images ?? 0) * (price.image ?? 0n),
  request: price.request ?? 0n,
})

export const sumOfParts = (parts: CostParts): bigint =>
  Object.values(parts).reduce((sum, picocredits) => sum + picocredits, 0n)

/** The exact cost of a usage, rounded up once to a whole microcredit. */
export function costOf(price: Price, usage: UsageCounts): Microcredits {
  const picocredits = greatest(sumOfParts(costParts(price, usage)), price.minimum ?? 0n)
  return (picocredits + PICOCREDITS_PER_MICROCREDIT - 1n) / PICOCREDITS_PER_MICROCREDIT
}

/** The most that a request can use: of all its choices together. */
export type UsageBound = { inputTokens: number; maxOutputTokens: number; images?: number }

/** The largest amount that the books can hold, and so more than any account has: a `bigint` of Postgres. */
const MOST_MICROCREDITS = 2n ** 63n - 1n

/**
 * The most a request can cost: every token at the dearest price that it can have. What is beyond the books stays at the
 * most that they can hold, which nobody can pay.
 */
export function quoteOf(price: Price, { inputTokens, maxOutputTokens, images = 0 }: UsageBound): Microcredits {
  const quote = costOf(
    { ...price, input: dearestInput(price), output: dearestOutput(price) },
    { ...noUsage, inputTokens, outputTokens: maxOutputTokens, images },
  )
  return quote < MOST_MICROCREDITS ? quote : MOST_MICROCREDITS
}

/** How many output tokens an amount still pays for, once all the rest is paid at its dearest; not below 0. */
export function affordableOutput(
  price: Price,
  amount: Microcredits,
  { inputTokens, images = 0 }: Omit<UsageBound, 'maxOutputTokens'>,
): number {
  const picocredits = amount * PICOCREDITS_PER_MICROCREDIT
  if (picocredits < (price.minimum ?? 0n)) return 0
  const rest = BigInt(inputTokens) * dearestInput(price) + BigInt(images) * (price.image ?? 0n) + (price.request ?? 0n)
  const left = picocredits - rest
  if (left < 0n) return 0
  const output = dearestOutput(price)
  const tokens = output === 0n ? BigInt(Number.MAX_SAFE_INTEGER) : left / output
  return tokens > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(tokens)
}

/** What a line of a batch pays: each price so many percent less, rounded down to a whole picocredit. */
export function batchPriceOf({ batchDiscount = 0, ...price }: Price): Price {
  const reduced = Object.entries(price).flatMap(([name, amount]) =>
    amount === undefined ? [] : [[name, (amount * BigInt(100 - batchDiscount)) / 100n]],
  )
  return Object.fromEntries(reduced) as Price
}

const dearestInput = ({ input, cachedInput, cacheWrite = 0n }: Price) => greatest(input, cachedInput, cacheWrite)
const dearestOutput = ({ output, reasoning = 0n }: Price) => greatest(output, reasoning)

const greatest = (...amounts: bigint[]): bigint => amounts.reduce((most, each) => (each > most ? each : most))
