import { fromUUID, toUUID, typeidUnboxed } from 'typeid-js'
import { z } from 'zod'

/**
 * Every id is a UUIDv7 minted by us and written `prefix_base32` (the TypeID spec, jetify-com/typeid).
 * Postgres stores the UUID: ids made later sort later, so they insert at the right edge of an index.
 */
const suffix = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/

function idSchema<Brand extends string>(prefix: string) {
  return z
    .string()
    .refine((id) => id.startsWith(`${prefix}_`) && suffix.test(id.slice(prefix.length + 1)) && holdsUuid(id), {
      error: `must be an id such as ${prefix}_01h455vb4pex5vsknk084sn02q`,
    })
    .brand<Brand>()
}

/** Not every 128 bits are a UUID, and what is none cannot be looked up. */
function holdsUuid(id: string): boolean {
  try {
    toUUID(id as never)
    return true
  } catch {
    return false
  }
}

export const CompletionId = idSchema<'CompletionId'>('chatcmpl')
export type CompletionId = z.infer<typeof CompletionId>
/** The same id as Anthropic's clients expect one. */
export const messageIdOf = (id: CompletionId): string => `msg_${id.slice('chatcmpl_'.length)}`
/** An id of a completion in either of its spellings. */
export const EitherCompletionId = z
  .string()
  .transform((id) => (id.startsWith('msg_') ? `chatcmpl_${id.slice('msg_'.length)}` : id))
  .pipe(CompletionId)
export const AccountId = idSchema<'AccountId'>('acct')
export type AccountId = z.infer<typeof AccountId>
export const KeyId = idSchema<'KeyId'>('key')
export type KeyId = z.infer<typeof KeyId>
export const GrantId = idSchema<'GrantId'>('grant')
export type GrantId = z.infer<typeof GrantId>
export const ActionId = idSchema<'ActionId'>('action')
export type ActionId = z.infer<typeof ActionId>
export const PriceId = idSchema<'PriceId'>('price')
export type PriceId = z.infer<typeof PriceId>

export type AnyId = CompletionId | AccountId | KeyId | GrantId | ActionId | PriceId

const minted = (prefix: string): string => typeidUnboxed(prefix)
export const newCompletionId = (): CompletionId => minted('chatcmpl') as CompletionId
export const newAccountId = (): AccountId => minted('acct') as AccountId
export const newKeyId = (): KeyId => minted('key') as KeyId
export const newGrantId = (): GrantId => minted('grant') as GrantId
export const newActionId = (): ActionId => minted('action') as ActionId
export const newPriceId = (): PriceId => minted('price') as PriceId
export const newRequestId = (): string => minted('req')

/** The UUID inside an id, as Postgres stores it. */
export function uuidOf(id: AnyId): string {
  // Completions are many and seldom asked for twice; accounts, keys and prices come with every one of them.
  if (id.startsWith('chatcmpl_')) return toUUID(id as never)
  const known = decoded.get(id)
  if (known !== undefined) return known
  const uuid = toUUID(id as never)
  if (decoded.size === MOST_DECODED) decoded.clear()
  decoded.set(id, uuid)
  return uuid
}

/** Decoding takes a microsecond, several times for each operation of the ledger. */
const decoded = new Map<string, string>()
const MOST_DECODED = 10_000

/** When an id was minted, in milliseconds since the epoch: a UUIDv7 begins with it (RFC 9562, section 5.7). */
export const mintedAt = (id: AnyId): number => Number.parseInt(uuidOf(id).replace('-', '').slice(0, 12), 16)

const fromUuid = (prefix: string, uuid: string): string => fromUUID(uuid, prefix)
export const completionIdOf = (uuid: string): CompletionId => fromUuid('chatcmpl', uuid) as CompletionId
export const accountIdOf = (uuid: string): AccountId => fromUuid('acct', uuid) as AccountId
export const keyIdOf = (uuid: string): KeyId => fromUuid('key', uuid) as KeyId
export const grantIdOf = (uuid: string): GrantId => fromUuid('grant', uuid) as GrantId
export const actionIdOf = (uuid: string): ActionId => fromUuid('action', uuid) as ActionId
export const priceIdOf = (uuid: string): PriceId => fromUuid('price', uuid) as PriceId
