import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Bench, type Report, spreadsOf } from '../bench.ts'
import type { Counted, Load } from '../load-process.ts'
import { runRounds } from '../run-rounds.ts'
import { median } from '../statistics.ts'
import { renderTable } from '../table.ts'
import { askedWays, checkBooks } from '../ways.ts'

const PROCESSES = 4
const IN_FLIGHT = 500

/** Four real processes on the same accounts, with as many callers and connections altogether as one had. */
export async function processes({ server, ways, accounts, options }: Bench): Promise<Report> {
  const compared = ['first', 'ours'] as const
  const groups = spreadsOf(accounts).map((of) => compared.map((way) => ({ way, ...of })))
  const children = Array.from({ length: PROCESSES }, () => fork(script))
  try {
    const slices = await runRounds(groups, options.rounds, async ({ way, accounts }) => {
      const { connections, database } = askedWays[way]
      const load: Load = {
        way,
        url: server.urlOf(database),
        connections: Math.max(1, connections / PROCESSES),
        workload: { accounts, inFlight: IN_FLIGHT / PROCESSES },
        window: { leadInMs: 500, lengthMs: options.seconds * 1_000 },
      }
      const counted = await Promise.all(children.map((child) => loadOf(child, load)))
      return counted.reduce((sum, { pairs, seconds }) => sum + pairs / seconds, 0)
    })
    await checkBooks([ways.first, ways.ours])

    const rows = groups.map((group) => {
      const [first, ours] = group.map((member) => median(slices.get(member)!)) as [number, number]
      return [group[0]!.spread, first, ours, `${(ours / first).toFixed(2)}x`]
    })
    const title = `${PROCESSES} processes, ${IN_FLIGHT} in flight, pairs/s`
    return { text: renderTable([title, 'transactions', 'ours', 'ours to it'], rows), thresholds: [] }
  } finally {
    for (const child of children) child.disconnect()
  }
}

const script = fileURLToPath(new URL('../load-process.ts', import.meta.url))

/** What one process counted. Rejects when it ends instead. */
function loadOf(child: ChildProcess, load: Load): Promise<Counted> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('A process of the load has ended.'))
    child.once('exit', ended)
    child.once('message', (counted) => {
      child.off('exit', ended)
      resolve(counted as Counted)
    })
    child.send(load)
  })
}
