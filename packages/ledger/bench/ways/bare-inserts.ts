import { uuidOf, newCompletionId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Slice } from '../callers.ts'
import type { Way } from '../way.ts'
import { type Progress, through } from '../window.ts'

/** What a commit costs at least: one row into one table. A connection for each caller. */
export async function bareInserts(db: Database): Promise<Way> {
  await sql`create table public.bare (id uuid primary key, amount bigint not null)`.execute(db)
  const insert = () => sql`insert into public.bare values (${uuidOf(newCompletionId())}, 1)`.execute(db)
  return {
    name: 'bare INSERT',
    async run({ inFlight }, window): Promise<Slice> {
      const slice: Slice = { seconds: 0, pairs: 0, latenciesMs: [] }
      const progress: Progress = { phase: 'lead-in' }
      async function caller() {
        while (progress.phase !== 'over') {
          const asked = performance.now()
          await insert()
          if (progress.phase === 'open') slice.latenciesMs.push(performance.now() - asked)
        }
      }
      slice.seconds = await through(window, progress, () => Promise.all(Array.from({ length: inFlight }, caller)))
      return slice
    },
    faults: async () => [],
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
