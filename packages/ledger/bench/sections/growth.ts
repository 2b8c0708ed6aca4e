import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type Bench, type Report, spreadsOf } from '../bench.ts'
import type { Workload } from '../callers.ts'
import type { Server } from '../server.ts'
import { renderTable } from '../table.ts'
import type { Way } from '../way.ts'
import { checkBooks } from '../ways.ts'
import { groupCommits } from '../ways/group-commits.ts'

/**
 * What a completion leaves behind, in the log and in the tables. The log is read twice, at once after a checkpoint and
 * later: `full_page_writes` is on, so the first change of a page after a checkpoint logs all of it. New rows fill new
 * pages, which are spared that; it is the pages of accounts and grants that it falls on, each once per checkpoint.
 */
export async function growth({ server, accounts, options }: Bench): Promise<Report> {
  const [logged, stored]: [Cells[], Cells[]] = [[], []]
  for (const { spread, accounts: drawn } of spreadsOf(accounts)) {
    const database = `growth_${drawn.length}`
    await server.copy(database)
    await using way = groupCommits(server.connect(database, 1))
    const load = () => logOf(server, way, { accounts: drawn, inFlight: 500 }, options.seconds)

    await sql`checkpoint`.execute(server.admin)
    const [atFirst, later] = [await load(), await load()]
    logged.push([spread, atFirst.bytes, atFirst.ofPages, later.bytes, later.ofPages])
    await checkBooks([way])

    await using db = server.connect(database, 1)
    for (const { table, heap, indexes } of await sizesOf(db))
      stored.push([`${table}, ${spread}`, heap, indexes, heap + indexes])
  }
  const log = renderTable(['WAL bytes per pair', 'after checkpoint', 'of it pages', 'later', 'of it pages'], logged)
  return {
    text: `${log}\n\n${renderTable(['MB per million completions', 'table', 'indexes', 'together'], stored)}`,
    thresholds: [],
  }
}

type Cells = (string | number)[]

/** What a slice wrote to the log per pair, and how much of it were whole pages. */
async function logOf({ admin }: Server, way: Way, workload: Workload, seconds: number) {
  const edges: string[] = []
  const atEdge = async () => {
    const { rows } = await sql<{ at: string }>`select pg_current_wal_flush_lsn()::text as at`.execute(admin)
    edges.push(rows[0]!.at)
  }
  const { pairs } = await way.run(workload, { leadInMs: 0, lengthMs: seconds * 1_000, atEdge })
  const { rows } = await sql<{ all: number; pages: number }>`
    select sum(combined_size)::float8 as all, sum(fpi_size)::float8 as pages
    from pg_get_wal_stats(${edges[0]}::pg_lsn, ${edges[1]}::pg_lsn)`.execute(admin)
  const { all, pages } = rows[0]!
  return { bytes: all / pairs, ofPages: pages / pairs }
}

/** Bytes per completion, which are megabytes per million. */
async function sizesOf(db: Database) {
  const { rows } = await sql<{ table: string; heap: number; indexes: number }>`
    with completions as (select count(*)::float8 as n from ledger.reservation)
    select parent as table, sum(pg_table_size(relid)) / min(n) as heap, sum(pg_indexes_size(relid)) / min(n) as indexes
    from completions, unnest('{reservation,entry}'::text[]) parent, pg_partition_tree(('ledger.' || parent)::regclass)
    group by parent order by parent desc`.execute(db)
  return rows
}
