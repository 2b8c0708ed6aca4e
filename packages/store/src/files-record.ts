import { type AccountId, type FileId, type KeyId, accountIdOf, fileIdOf } from '@weir/contracts'
import { sql } from 'kysely'

/** What accounts upload, and what the service writes for them. */
export type FilePurpose = 'batch' | 'batch_output'

export type FileRecord = {
  id: FileId
  accountId: AccountId
  purpose: FilePurpose
  filename: string
  bytes: number
  createdAt: Date
  /** From then on it is not there. */
  expiresAt: Date
}

export type NewFile = {
  accountId: AccountId
  /** Who uploads it. */
  keyId?: KeyId
  /** `batch_input`: of a batch whose requests came inline. It counts, and is shown to nobody. */
  purpose: FilePurpose | 'batch_input'
  /** Of 1 to 255 characters that Postgres can hold. */
  filename: string
  /** By default as long after its beginning as files are kept. */
  expiresAt?: Date
  /** `false` leaves it where nobody sees it, until `publish` or `store.publish_files` shows it. */
  publish?: boolean
}

/** What may be uploaded. The service's own files count, but are never refused: what they hold is paid for. */
export type FileLimits = {
  fileBytes: number
  bytesPerAccount: number
  filesPerAccount: number
  retentionMs: number
}

export type FileList = {
  purpose?: FilePurpose | undefined
  limit: number
  order: 'asc' | 'desc'
  /** Behind this one, be it still there or not. */
  after?: FileId | undefined
}

export const columns = sql`id, account_id, purpose, filename, bytes, created_at, expires_at`
export const isThere = sql`state = 'processed' and expires_at > clock_timestamp()`
export const isShown = sql`${isThere} and purpose <> 'batch_input'`

export type FileRow = {
  id: string
  account_id: string
  purpose: FilePurpose
  filename: string
  bytes: bigint
  created_at: Date
  expires_at: Date
}

export const recordOf = (row: FileRow): FileRecord => ({
  id: fileIdOf(row.id),
  accountId: accountIdOf(row.account_id),
  purpose: row.purpose,
  filename: row.filename,
  bytes: Number(row.bytes),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})
