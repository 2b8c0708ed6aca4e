import { setImmediate as turn } from 'node:timers/promises'
import { type AccountId, type FileId, newAccountId, uuidOf } from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { type FileLimits, type NewFile, createFileStore } from '../files.ts'

export type FilesFixture = Awaited<ReturnType<typeof openFilesFixture>>

const generous: FileLimits = {
  fileBytes: 64_000_000,
  bytesPerAccount: 64_000_000,
  filesPerAccount: 1_000,
  retentionMs: 86_400_000,
}

/** The tables of files in a database of their own. */
export async function openFilesFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 8, timeoutMs: 60_000, onError: () => {} }))

  const opened = resources.move()
  return {
    db,
    storeWith: (limits: Partial<FileLimits> = {}) => createFileStore(db, { ...generous, ...limits }),
    /** What the account is held to have, and what its files sum up to. */
    async usageOf(accountId: AccountId) {
      const { rows } = await sql<Record<'files' | 'bytes' | 'countedFiles' | 'countedBytes' | 'chunkBytes', bigint>>`
        select coalesce(max(u.files), 0) as files, coalesce(max(u.bytes), 0) as bytes,
          (select count(*) from store.file where account_id = ${uuidOf(accountId)} and state <> 'deleted'
            and purpose <> 'batch_input') as "countedFiles",
          (select coalesce(sum(bytes), 0)::bigint from store.file
            where account_id = ${uuidOf(accountId)} and state <> 'deleted') as "countedBytes",
          (select coalesce(sum(length(c.bytes)), 0) from store.file f join store.file_chunk c on c.file_id = f.id
            where account_id = ${uuidOf(accountId)} and state <> 'deleted') as "chunkBytes"
        from store.file_usage u where account_id = ${uuidOf(accountId)}`.execute(db)
      const { files, bytes, countedFiles, countedBytes, chunkBytes } = rows[0]!
      return {
        files: Number(files),
        bytes: Number(bytes),
        isExact: files === countedFiles && bytes === countedBytes && bytes === chunkBytes,
      }
    },
    /** Makes a file look as if nothing had happened to it for so long. */
    async age(id: FileId, ms: number): Promise<void> {
      await sql`update store.file set created_at = created_at - ${ms}::float8 * interval '1 ms',
        touched_at = touched_at - ${ms}::float8 * interval '1 ms',
        expires_at = expires_at - ${ms}::float8 * interval '1 ms' where id = ${uuidOf(id)}`.execute(db)
    },
    async rows(): Promise<{ files: number; chunks: number }> {
      const { rows } = await sql<{ files: bigint; chunks: bigint }>`
        select (select count(*) from store.file) as files, (select count(*) from store.file_chunk) as chunks`.execute(
        db,
      )
      return { files: Number(rows[0]!.files), chunks: Number(rows[0]!.chunks) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export const fileOf = (accountId = newAccountId(), more: Partial<NewFile> = {}): NewFile => ({
  accountId,
  purpose: 'batch',
  filename: 'lines.jsonl',
  ...more,
})

/** Bytes in which each place looks different, so that a swap or a hole would show. */
export function bytesOf(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  for (let n = 0; n + 4 <= count; n += 4) bytes.writeUInt32LE((n * 2_654_435_761) % 4_294_967_296, n)
  return bytes
}

/** Comes in pieces of one size; the last one may be smaller. */
export async function* inPieces(bytes: Buffer, size = 10_007): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    await turn()
    yield bytes.subarray(at, at + size)
  }
}

export async function allOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}
