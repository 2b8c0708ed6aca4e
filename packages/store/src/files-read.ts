import { type AccountId, type FileId, ServiceError, batchIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import { CHUNK_BYTES, chunkPartsOf } from './files-chunks.ts'
import { type FileList, type FileRecord, type FileRow, columns, isShown, isThere, recordOf } from './files-record.ts'
import { fileInUse } from './files-refusals.ts'
import type { InTurn } from './in-turn.ts'

/** Files that are there, until they are removed. */
export function createFileReader(db: Database, inTurn: InTurn) {
  return {
    async find(accountId: AccountId, id: FileId): Promise<FileRecord | undefined> {
      const { rows } = await sql<FileRow>`
        select ${columns} from store.file
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and ${isShown}`.execute(db)
      return rows[0] && recordOf(rows[0])
    },

    /** By the time they were begun. */
    async list(accountId: AccountId, { purpose, limit, order, after }: FileList): Promise<FileRecord[]> {
      const { rows } = await sql<FileRow>`
        select ${columns} from store.file
        where account_id = ${uuidOf(accountId)} and ${isShown}
          ${purpose ? sql`and purpose = ${purpose}` : sql``}
          ${after ? sql`and id ${order === 'asc' ? sql`>` : sql`<`} ${uuidOf(after)}` : sql``}
        order by id ${order === 'asc' ? sql`asc` : sql`desc`} limit ${limit}`.execute(db)
      return rows.map(recordOf)
    },

    /** The bytes of a file, or from `start` up to `end`, at most a chunk at a time, as they are asked for. */
    async *read(id: FileId, range?: { start: number; end: number }): AsyncGenerator<Buffer> {
      const { rows } = await sql<{ bytes: bigint }>`
        select bytes from store.file where id = ${uuidOf(id)} and ${isThere}`.execute(db)
      if (!rows[0]) throw new ServiceError('not_found', `The file ${id} is not there any more.`)
      const size = Number(rows[0].bytes)
      for (const { position, from, count } of chunkPartsOf(range?.start ?? 0, Math.min(range?.end ?? size, size))) {
        const part = count === CHUNK_BYTES ? sql`bytes` : sql`substring(bytes from ${from + 1}::int for ${count}::int)`
        const { rows } = await inTurn(() =>
          sql<{ part: Buffer }>`
            select ${part} as part from store.file_chunk
            where file_id = ${uuidOf(id)} and position = ${position}`.execute(db),
        )
        if (rows[0]?.part.length !== count) throw new Error(`chunk ${position} of ${id} is not whole`)
        yield rows[0].part
      }
    },

    /** Whether it was there. Its room is free at once; whoever reads it meanwhile may be cut short. The input of a batch stays to its end. */
    remove: (accountId: AccountId, id: FileId): Promise<boolean> => remove(db, accountId, id, isShown),

    /** The same for what came with a message batch, which its account does not see. */
    removeInput: (accountId: AccountId, id: FileId): Promise<boolean> => remove(db, accountId, id, isThere),
  }
}

async function remove(db: Database, accountId: AccountId, id: FileId, isSeen: RawBuilder<unknown>): Promise<boolean> {
  const { rows: users } = await sql<{ id: string }>`
    select id from store.batch
    where input_file_id in (select f.id from store.file f where f.id = ${uuidOf(id)} and ${isSeen})
      and account_id = ${uuidOf(accountId)} and ended_at is null limit 1`.execute(db)
  if (users[0]) throw fileInUse(id, batchIdOf(users[0].id))
  const { rows } = await sql<{ deleted: number }>`
    select store.delete_files(array[id]) as deleted from store.file
    where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)} and ${isSeen}`.execute(db)
  return rows[0]?.deleted === 1
}
