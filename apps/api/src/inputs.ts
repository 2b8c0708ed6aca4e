import { type Microcredits, KeyId, ServiceError, parseCredits } from '@weir/contracts'
import { z } from 'zod'

/** What Postgres holds as it was sent: no NUL, no half of a surrogate pair. */
const wellFormed = z
  .string()
  .refine((value) => value.isWellFormed() && !value.includes('\0'), { error: 'must be well-formed text without NUL' })

export const text = wellFormed.min(1, 'must not be empty').max(200, 'must have at most 200 characters')
export const reason = wellFormed.trim().min(1).max(500).describe('Why; it stays in the books')
export const modelName = wellFormed.min(1).max(256)

/** A number of a query, in plain digits: what `Number` reads besides (`1e2`, `0x10`, blanks) is nobody's intention. */
export const wholeNumber = (most: number) =>
  z.preprocess(
    (written) => (typeof written === 'string' && /^\d{1,16}$/.test(written) ? Number(written) : undefined),
    z.int(`must be a whole number in decimal digits, from 1 to ${most}`).min(1).max(most),
  )

export const limit = wholeNumber(1_000).default(100)

/** A typing error should not make a fortune. */
const MOST_CREDITS = 1_000_000_000_000_000n

const written = z.union([z.number(), z.string()], { error: 'must be a number or decimal text' })

function amount(isFine: (amount: Microcredits) => boolean, error: string) {
  return written
    .transform((credits, context): Microcredits => {
      const amount = signedCredits(credits)
      if (amount !== undefined && isFine(amount)) return amount
      context.addIssue({ code: 'custom', message: `${error}, with at most six decimals` })
      return z.NEVER
    })
    .describe('Credits, as a number or as decimal text')
}

const signedCredits = (credits: number | string): Microcredits | undefined => {
  const isNegative = typeof credits === 'number' ? credits < 0 : credits.startsWith('-')
  if (!isNegative) return parseCredits(credits)
  const amount = parseCredits(typeof credits === 'number' ? -credits : credits.slice(1))
  return amount === undefined ? undefined : -amount
}

/** Credits that are given or taken: exact microcredits of a JSON number or decimal text. */
export const credits = amount(
  (amount) => amount > 0n && amount <= MOST_CREDITS,
  'must be more than 0, at most 1000000000',
)
export const creditsOrNone = amount(
  (amount) => amount >= 0n && amount <= MOST_CREDITS,
  'must be 0 or more, at most 1000000000',
)
export const creditsEitherWay = amount(
  (amount) => amount !== 0n && amount <= MOST_CREDITS && amount >= -MOST_CREDITS,
  'must not be 0, and at most 1000000000 either way',
)

const EARLIEST = Date.UTC(1970)
const LATEST = Date.UTC(9999, 11, 31)

/** A point in time; a day alone means its midnight in UTC. */
export const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a time in ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31',
  })
  .transform((written, context): Date => {
    const time = new Date(written)
    if (time.getTime() >= EARLIEST && time.getTime() <= LATEST) return time
    context.addIssue({ code: 'custom', message: 'must lie between 1970 and 9999' })
    return z.NEVER
  })

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 30

/** From `from` up to `to`: by default the last thirty days, from the first midnight of UTC in them on. */
export function periodOf({ from, to = new Date() }: { from?: Date | undefined; to?: Date | undefined }) {
  const begin = from ?? new Date(Math.floor((to.getTime() - DEFAULT_DAYS * DAY_MS) / DAY_MS) * DAY_MS)
  if (begin >= to) throw new ServiceError('invalid_request', "'from' must be before 'to'.", { param: 'from' })
  return { from: begin, to }
}

/** The place in a listing of usage behind which the next page begins. */
const Position = z.tuple([time, wellFormed.nullable(), KeyId.nullable()])

export const usagePosition = z.string().transform((cursor, context) => {
  const parsed = Position.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString()))
  if (parsed.success) return { startsAt: parsed.data[0], model: parsed.data[1], keyId: parsed.data[2] }
  context.addIssue({ code: 'custom', message: 'must be the last_id of the page before' })
  return z.NEVER
})

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
