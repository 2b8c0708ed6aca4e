import { readFile } from 'node:fs/promises'
import { uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { CompiledQuery, sql } from 'kysely'
import type { Slice, Workload } from '../callers.ts'
import type { Way } from '../way.ts'
import { type Progress, type Window, through } from '../window.ts'

type Made = { made: string[]; made_by: number[] }

/** The bound: the same rows in batches of the same size, with nothing decided (see `rows-alone.sql`). */
export async function rowsAlone(db: Database, all: Workload['accounts']): Promise<Way> {
  await db.executeQuery(CompiledQuery.raw(await readFile(new URL('rows-alone.sql', import.meta.url), 'utf8')))
  await sql`
    insert into bench.drawn_from
    select o.i - 1, o.id, g.id from unnest(${all.map(uuidOf)}::uuid[]) with ordinality o(id, i)
    join ledger.credit_grant g on g.account_id = o.id and g.kind = 'promotional'`.execute(db)
  let written = 0

  return {
    name: 'rows without logic',
    async run({ accounts, inFlight }, window: Window): Promise<Slice> {
      const slice: Slice = { seconds: 0, pairs: 0, latenciesMs: [] }
      const progress: Progress = { phase: 'lead-in' }
      const pairs = inFlight >> 1

      async function write(ended: Made): Promise<Made> {
        const asked = performance.now()
        const { rows } = await sql<Made>`
          select * from bench.write(
            ${pairs}::int, ${accounts.length}::int, ${ended.made}::uuid[], ${ended.made_by}::int[])`.execute(db)
        written += pairs
        if (progress.phase === 'open') {
          slice.pairs += pairs
          slice.latenciesMs.push(performance.now() - asked)
        }
        return rows[0]!
      }
      async function loop() {
        let last: Made = { made: [], made_by: [] }
        while (progress.phase !== 'over') last = await write(last)
      }
      slice.seconds = await through(window, progress, loop)
      return slice
    },
    async faults() {
      const { rows } = await sql<{ rows: bigint }>`select count(*) as rows from ledger.reservation`.execute(db)
      return rows[0]?.rows === BigInt(written) ? [] : ['a row is missing']
    },
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
