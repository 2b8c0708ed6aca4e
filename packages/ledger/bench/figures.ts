import { sql } from 'kysely'
import type { Workload } from './callers.ts'
import { cpuMsOf } from './cpu-time.ts'
import type { Server } from './server.ts'
import { median, percentile } from './statistics.ts'
import type { Way } from './way.ts'

/** What a slice, or the median over several, says of a way. */
export type Figures = {
  pairsPerSecond: number
  /** Of one operation; of the bound, of a batch. */
  p50Ms: number
  p99Ms: number
  /** Of all Postgres processes; NaN where that cannot be known. */
  cpuUsPerPair: number
  walBytesPerPair: number
}

const LEAD_IN_MS = 300

/** Loads a way for one slice. It begins after a checkpoint, so that none falls into it. */
export async function measure(server: Server, way: Way, workload: Workload, seconds: number): Promise<Figures> {
  await sql`checkpoint`.execute(server.admin)
  const edges: { wal: bigint; cpuMs: number }[] = []
  const atEdge = async () => {
    edges.push({ wal: await walPosition(server), cpuMs: cpuMsOf(server.pid) ?? Number.NaN })
  }
  const slice = await way.run(workload, { leadInMs: LEAD_IN_MS, lengthMs: seconds * 1_000, atEdge })
  const [from, to] = edges
  return {
    pairsPerSecond: slice.pairs / slice.seconds,
    p50Ms: percentile(slice.latenciesMs, 0.5),
    p99Ms: percentile(slice.latenciesMs, 0.99),
    cpuUsPerPair: ((to!.cpuMs - from!.cpuMs) * 1_000) / slice.pairs,
    walBytesPerPair: Number(to!.wal - from!.wal) / slice.pairs,
  }
}

/** How many bytes of log the server has written in its life. */
async function walPosition({ admin }: Pick<Server, 'admin'>): Promise<bigint> {
  const { rows } = await sql<{ position: bigint }>`
    select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as position`.execute(admin)
  return rows[0]!.position
}

export function medianFigures(slices: readonly Figures[]): Figures {
  const of = (figure: keyof Figures) => median(slices.map((slice) => slice[figure]))
  return {
    pairsPerSecond: of('pairsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuUsPerPair: of('cpuUsPerPair'),
    walBytesPerPair: of('walBytesPerPair'),
  }
}
