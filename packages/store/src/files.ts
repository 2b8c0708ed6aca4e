import type { Database } from '@weir/runtime'
import { createFileReader } from './files-read.ts'
import type { FileLimits } from './files-record.ts'
import { createFileWriter } from './files-write.ts'
import { createTurns } from './in-turn.ts'

export type { FileLimits, FileList, FilePurpose, FileRecord, NewFile } from './files-record.ts'
export { fileTooLarge } from './files-refusals.ts'
export { sweepFiles } from './files-upkeep.ts'

export type FileStore = ReturnType<typeof createFileStore>

/** Chunks that one process writes or reads at once: more would only keep the connections from everybody else. */
const CHUNKS_AT_ONCE = 4

/**
 * Files in Postgres, chunk by chunk: however large one is, a few chunks of it are in memory. Those that are deleted, have
 * expired or belong to somebody else are not there.
 */
export function createFileStore(db: Database, limits: FileLimits) {
  const inTurn = createTurns(CHUNKS_AT_ONCE)
  return { ...createFileWriter(db, limits, inTurn), ...createFileReader(db, inTurn) }
}
