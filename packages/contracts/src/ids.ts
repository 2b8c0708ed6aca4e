import { fromUUID, toUUID, typeidUnboxed } from 'typeid-js'
import { z } from 'zod'

/**
 * Every id is a UUIDv7 minted by us and written `prefix_base32` (the TypeID spec, jetify-com/typeid).
 * Postgres stores the UUID: ids made later sort later, so they insert at the right edge of an index.
 */
const suffix = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/

function idSchema<Brand extends string>(prefix: string, separator = '_') {
  const start = prefix + separator
  return z
    .string()
    .refine((id) => id.startsWith(start) && suffix.test(id.slice(start.length)) && holdsUuid(id), {
      error: `must be an id such as ${start}01h455vb4pex5vsknk084sn02q`,
    })
    .brand<Brand>()
}

/** Not every 128 bits are a UUID, and what is none cannot be looked up. */
function holdsUuid(id: string): boolean {
  try {
    decode(id)
    return true
  } catch {
    return false
  }
}

/** A file's id is written with a dash, as OpenAI's are; everything else as the spec says. */
const decode = (id: string): string => toUUID(id.replace(/^file-/, 'file_') as never)

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

export const FileId = idSchema<'FileId'>('file', '-')
export type FileId = z.infer<typeof FileId>
export const BatchId = idSchema<'BatchId'>('batch')
export type BatchId = z.infer<typeof BatchId>
/** The same id as Anthropic's clients expect one. */
export const messageBatchIdOf = (id: BatchId): string => `msgbatch_${id.slice('batch_'.length)}`
/** An id of a batch in either of its spellings. */
export const EitherBatchId = z
  .string()
  .transform((id) => (id.startsWith('msgbatch_') ? `batch_${id.slice('msgbatch_'.length)}` : id))
  .pipe(BatchId)
/** A place that an account's events are sent to. */
export const EndpointId = idSchema<'EndpointId'>('we')
export type EndpointId = z.infer<typeof EndpointId>
export const EventId = idSchema<'EventId'>('evt')
export type EventId = z.infer<typeof EventId>
/** One event on its way to one endpoint. */
export const DeliveryId = idSchema<'DeliveryId'>('whd')
export type DeliveryId = z.infer<typeof DeliveryId>

export type AnyId =
  | CompletionId
  | AccountId
  | KeyId
  | GrantId
  | ActionId
  | PriceId
  | FileId
  | BatchId
  | EndpointId
  | EventId
  | DeliveryId

const minted = (prefix: string): string => typeidUnboxed(prefix)
export const newCompletionId = (): CompletionId => minted('chatcmpl') as CompletionId
export const newAccountId = (): AccountId => minted('acct') as AccountId
export const newKeyId = (): KeyId => minted('key') as KeyId
export const newGrantId = (): GrantId => minted('grant') as GrantId
export const newActionId = (): ActionId => minted('action') as ActionId
export const newPriceId = (): PriceId => minted('price') as PriceId
export const newFileId = (): FileId => minted('file').replace('_', '-') as FileId
export const newBatchId = (): BatchId => minted('batch') as BatchId
export const newEndpointId = (): EndpointId => minted('we') as EndpointId
export const newEventId = (): EventId => minted('evt') as EventId
export const newDeliveryId = (): DeliveryId => minted('whd') as DeliveryId
export const newRequestId = (): string => minted('req')

/** The UUID inside an id, as Postgres stores it. */
export function uuidOf(id: AnyId): string {
  // Completions are many and seldom asked for twice; accounts, keys and prices come with every one of them.
  if (id.startsWith('chatcmpl_')) return toUUID(id as never)
  const known = decoded.get(id)
  if (known !== undefined) return known
  const uuid = decode(id)
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
export const fileIdOf = (uuid: string): FileId => fromUuid('file', uuid).replace('_', '-') as FileId
export const batchIdOf = (uuid: string): BatchId => fromUuid('batch', uuid) as BatchId
export const endpointIdOf = (uuid: string): EndpointId => fromUuid('we', uuid) as EndpointId
export const eventIdOf = (uuid: string): EventId => fromUuid('evt', uuid) as EventId
export const deliveryIdOf = (uuid: string): DeliveryId => fromUuid('whd', uuid) as DeliveryId
