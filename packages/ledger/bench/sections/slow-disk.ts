import { sql } from 'kysely'
import type { Bench, Report } from '../bench.ts'
import type { Server } from '../server.ts'
import { percentile } from '../statistics.ts'
import { bareInserts } from '../ways/bare-inserts.ts'
import { rates } from './rates.ts'

const ADDED_US = 1_000

/**
 * The rates once more, with a millisecond added to every commit, as a disk over a network would. Postgres itself sleeps so
 * long before it flushes, whether others wait or not; those that commit meanwhile share the flush, as with a real disk.
 */
export async function slowDisk(bench: Bench): Promise<Report> {
  const { server, accounts } = bench
  await server.copy('lone_commits')
  await using lone = await bareInserts(server.connect('lone_commits', 1))
  const loneCommitMs = async () => {
    const { latenciesMs } = await lone.run({ accounts, inFlight: 1 }, { leadInMs: 300, lengthMs: 1_000 })
    // What else the machine does makes some of them slower, and none faster.
    return percentile(latenciesMs, 0.1)
  }

  const before = await loneCommitMs()
  await delayCommits(server, ADDED_US)
  try {
    const after = await loneCommitMs()
    if (after - before < 0.9) throw new Error(`A commit took ${before} ms, and ${after} ms with a millisecond added.`)
    const { text, thresholds } = await rates(bench, ', +1 ms')
    const proof = `a lone commit took ${before.toFixed(2)} ms before and ${after.toFixed(2)} ms with 1 ms added`
    return { text: `${proof}\n\n${text}`, thresholds }
  } finally {
    await delayCommits(server, 0)
  }
}

async function delayCommits({ admin }: Server, us: number): Promise<void> {
  await sql`alter system set commit_siblings = 0`.execute(admin)
  await sql.raw(`alter system set commit_delay = ${us}`).execute(admin)
  await sql`select pg_reload_conf()`.execute(admin)
}
