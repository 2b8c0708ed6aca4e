import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { inBatches } from './in-batches.ts'

/** How much one statement removes: 16 MB of chunks, that is. */
const FILES = 100
const CHUNKS = 64

/** An upload to which nothing has come for so long has lost its process. */
const ABANDONED = sql`interval '1 hour'`

/**
 * Removes files that have expired, were deleted or were never written to their end, a bounded batch at a time. Any number of
 * processes may call it.
 */
export async function sweepFiles(
  db: Database,
  { signal }: { signal: AbortSignal },
): Promise<{ files: number; chunks: number }> {
  await inBatches(
    signal,
    async () => {
      const { rows } = await sql<{ lapsed: number }>`
      with lapsed as materialized (
        select id from store.file
        where state = 'processed' and expires_at < clock_timestamp()
          or state = 'uploading' and created_at < clock_timestamp() - ${ABANDONED} and touched_at < clock_timestamp() - ${ABANDONED}
        limit ${FILES} for update skip locked)
      select store.delete_files(array(select id from lapsed)) as lapsed`.execute(db)
      return rows[0]?.lapsed ?? 0
    },
    FILES,
  )
  const chunks = await inBatches(
    signal,
    async () => {
      const { numAffectedRows } = await sql`
      delete from store.file_chunk where (file_id, position) in (
        select c.file_id, c.position from store.file f join store.file_chunk c on c.file_id = f.id
        where f.state = 'deleted' limit ${CHUNKS} for update of c skip locked)`.execute(db)
      return Number(numAffectedRows)
    },
    CHUNKS,
  )
  const files = await inBatches(
    signal,
    async () => {
      const { numAffectedRows } = await sql`
      delete from store.file where id in (
        select id from store.file f
        where state = 'deleted' and not exists (select from store.file_chunk c where c.file_id = f.id)
        limit ${FILES} for update skip locked)`.execute(db)
      return Number(numAffectedRows)
    },
    FILES,
  )
  return { files, chunks }
}
