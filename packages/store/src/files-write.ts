import { type FileId, newFileId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { chunksOf } from './files-chunks.ts'
import { type FileLimits, type FileRecord, type FileRow, type NewFile, columns, recordOf } from './files-record.ts'
import { fileIsGone, fileTooLarge, tooManyBytes, tooManyFiles } from './files-refusals.ts'
import type { InTurn } from './in-turn.ts'

/** The life of a file up to where it is there, or not at all. */
export function createFileWriter(db: Database, limits: FileLimits, inTurn: InTurn) {
  async function discard(id: FileId): Promise<void> {
    await sql`select store.delete_files(array[id]) from store.file
      where id = ${uuidOf(id)} and state = 'uploading'`.execute(db)
  }

  async function publish(id: FileId, { expiresAt }: { expiresAt?: Date | undefined } = {}): Promise<FileRecord> {
    const { rows } = await sql<FileRow>`
      update store.file
      set state = 'processed', touched_at = clock_timestamp(), expires_at = coalesce(${expiresAt ?? null}, expires_at)
      where id = ${uuidOf(id)} and state = 'uploading' returning ${columns}`.execute(db)
    if (!rows[0]) throw fileIsGone(id)
    return recordOf(rows[0])
  }

  return {
    /** Shows what was written with `publish: false`. */
    publish,

    /** Throws away what was written with `publish: false` and has not been published. */
    discard,

    /**
     * Writes a file as it comes; it is there once all of it is. When the source fails, the signal aborts or a limit is met,
     * nothing of it stays; should removing it fail as well, the sweep sees to it once nothing has been written for an hour. So
     * no source may rest for as long as that.
     */
    async write(file: NewFile, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<FileRecord> {
      const id = newFileId()
      await begin(db, id, file, limits)
      try {
        await appendAll(db, id, { file, source, limits, inTurn, signal })
        return await (file.publish === false ? unpublished(db, id) : publish(id))
      } catch (error) {
        await discard(id).catch(() => {})
        throw error
      }
    },
  }
}

const isBounded = ({ purpose }: NewFile): boolean => purpose !== 'batch_output'

async function begin(db: Database, id: FileId, file: NewFile, limits: FileLimits): Promise<void> {
  const most = isBounded(file) ? limits.filesPerAccount : null
  const { rows } = await sql<{ begun: boolean }>`
    select store.begin_file(${uuidOf(id)}, ${uuidOf(file.accountId)}, ${file.keyId ? uuidOf(file.keyId) : null},
      ${file.purpose}, ${file.filename}, ${file.expiresAt ?? null}, ${limits.retentionMs}::float8 * interval '1 ms',
      ${most}) as begun`.execute(db)
  if (!rows[0]?.begun) throw tooManyFiles(limits.filesPerAccount)
}

type Writing = {
  file: NewFile
  source: AsyncIterable<Uint8Array>
  limits: FileLimits
  inTurn: InTurn
  signal: AbortSignal | undefined
}

async function appendAll(db: Database, id: FileId, { file, source, limits, inTurn, signal }: Writing): Promise<void> {
  const most = isBounded(file) ? limits.bytesPerAccount : null
  let position = 0
  for await (const chunk of chunksOf(file.purpose === 'batch' ? upTo(limits.fileBytes, source) : source)) {
    signal?.throwIfAborted()
    const { rows } = await inTurn(() =>
      sql<{ outcome: 'appended' | 'gone' | 'full' }>`
        select store.append_to_file(${uuidOf(id)}, ${position}, ${chunk}, ${most}) as outcome`.execute(db),
    )
    const outcome = rows[0]?.outcome
    if (outcome === 'full') throw tooManyBytes(limits.bytesPerAccount)
    if (outcome !== 'appended') throw fileIsGone(id)
    position += 1
  }
  signal?.throwIfAborted()
}

/** Ends in a refusal with the first byte too many, before that is written. */
async function* upTo(most: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of source) {
    bytes += piece.length
    if (bytes > most) throw fileTooLarge(most)
    yield piece
  }
}

async function unpublished(db: Database, id: FileId): Promise<FileRecord> {
  const { rows } = await sql<FileRow>`
    select ${columns} from store.file where id = ${uuidOf(id)} and state = 'uploading'`.execute(db)
  if (!rows[0]) throw fileIsGone(id)
  return recordOf(rows[0])
}
