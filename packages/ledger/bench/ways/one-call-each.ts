import type { Database } from '@weir/runtime'
import { applyBatch } from '../apply-batch.ts'
import { type Way, askedWay } from '../way.ts'

/** The same function, but each operation is a call, and so a transaction, of its own. */
export const oneCallEach = (db: Database): Way =>
  askedWay('a call per operation', db, async (op) => (await applyBatch(db, [op]))[0]!)
