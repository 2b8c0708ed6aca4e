import { type WrittenPrice, priceFields, tokenPriceOf } from '@weir/backends'
import { type Price, ServiceError, formatCredits } from '@weir/contracts'
import type { PriceVersion } from '@weir/ledger'
import { z } from 'zod'
import { creditsOrNone, modelName, time } from '../inputs.ts'

const part = (inWords: string) => creditsOrNone.nullable().optional().describe(`${inWords}; null takes it away`)

export const NewPrice = z.strictObject({
  model: modelName.describe('A model id or alias'),
  input: creditsOrNone.optional(),
  cached_input: part('For input that the backend had cached, by default that of input'),
  cache_write: part('For input that is written to a cache, by default that of input'),
  output: creditsOrNone.optional(),
  reasoning: part('By default that of output'),
  per: z.int().min(1).max(1_000_000_000).default(1_000_000).describe('Tokens that the prices before this are for'),
  image: part('For each image in a request, beside its tokens'),
  request: part('For each completion that is charged'),
  minimum: part('The least that a completion costs which is charged'),
  batch_discount: z.int().min(0).max(100).nullable().optional().describe('Percent that a line of a batch pays less'),
  effective_at: time.optional().describe('From then on; by default at once'),
})
export type NewPrice = z.infer<typeof NewPrice>

const partsOfPrice = Object.keys(priceFields) as (keyof Price)[]

/** What a price becomes: its parts as asked for, those that were not named as they were. */
export function changedPrice(before: Price, asked: NewPrice): Price {
  const isNamed = (part: keyof Price) => asked[priceFields[part]] !== undefined
  const isTakenAway = (part: keyof Price) => asked[priceFields[part]] === null
  if (!partsOfPrice.some(isNamed)) throw refused('input', 'Name a part of the price that is to change.')

  const said = saidPrice(asked)
  const after = Object.fromEntries(
    partsOfPrice.filter((part) => !isTakenAway(part)).map((part) => [part, (isNamed(part) ? said : before)[part]]),
  ) as Price
  // Every price has one for cached input. Where nobody set it apart from that of input, it goes on being the same.
  const isApart = isNamed('cachedInput') ? !isTakenAway('cachedInput') : before.cachedInput !== before.input
  return isApart ? after : { ...after, cachedInput: after.input }
}

/** Of a model's versions, the one that a new one takes the place of; the earliest first, that in force the first. */
export const replacedBy = (versions: readonly PriceVersion[], effectiveAt: Date | undefined) =>
  versions.findLast((version) => effectiveAt !== undefined && version.effectiveAt <= effectiveAt) ?? versions[0]

export const refused = (param: string, message: string) => new ServiceError('invalid_request', message, { param })

/** Read as a file's is, so that the same price can be said in either. What was not named is not to be looked at. */
function saidPrice(asked: NewPrice): Price {
  const written = Object.fromEntries(
    partsOfPrice.map((part) => {
      const value = asked[priceFields[part]] ?? undefined
      return [part, typeof value === 'bigint' ? formatCredits(value) : value?.toString()]
    }),
  ) as Partial<WrittenPrice>
  const result = tokenPriceOf({ input: '0', output: '0', ...withoutGaps(written), per: String(asked.per) })
  if ('price' in result) return result.price
  const { field, message } = result.problems[0]!
  throw refused(field, `'${field}' ${message}.`)
}

const withoutGaps = (written: Partial<WrittenPrice>) =>
  Object.fromEntries(Object.entries(written).filter(([, text]) => text !== undefined))
