// What the ledger can do: `npm run bench:ledger`.
//
// On a Postgres of its own, durable as in earnest (`fsync` and `synchronous_commit` on), four ways keep the same books:
// a transaction for each operation, as one would write it first; a call of `ledger.apply` for each operation; ours, where
// the operations of a process share calls; and a bound, which writes the same rows in the same batches and decides nothing.
//
// How to read the figures:
// - A pair is a reservation and its end: nine of ten are settled, one is released. Each account has two grants.
// - Medians over rounds in which the ways take turns. Server and callers share the machine's cores, so absolute rates say
//   more about the machine than about the ledger. Ratios within one run can be compared from run to run.
// - Latencies are those of one operation, and of the bound those of a batch. Many in flight mostly wait for each other.
// - `CPU` is that of all processes of Postgres, counted by /proc in steps of 10 ms.
// - `WAL` is that of the whole server. Each slice begins after a checkpoint, so none falls into one; see `growth` for what
//   that adds.
// - After each section the books are recomputed from the rows, and a fault fails the run. The bound keeps none.
import type { AccountId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { ledgerMigrations } from '../src/index.ts'
import { openAccounts } from './accounts.ts'
import type { Bench, Report } from './bench.ts'
import { type Options, type Section, parseOptions, usage } from './options.ts'
import { growth } from './sections/growth.ts'
import { latency } from './sections/latency.ts'
import { processes } from './sections/processes.ts'
import { rates } from './sections/rates.ts'
import { slowDisk } from './sections/slow-disk.ts'
import { openServer } from './server.ts'
import { type Threshold, isMet, renderThresholds } from './thresholds.ts'
import { openWays } from './ways.ts'

const run: Record<Section, (bench: Bench) => Promise<Report>> = {
  rates,
  'slow-disk': slowDisk,
  latency,
  processes,
  growth,
}

const options = optionsOrExit()
await using stack = new AsyncDisposableStack()
const thresholds = await Promise.race([measureAll(), interruption()])
if (thresholds) console.log(`\n${renderThresholds(thresholds)}`)
if (!thresholds || (options.check && !thresholds.every(isMet))) process.exitCode = 1

async function measureAll(): Promise<Threshold[]> {
  let accounts: AccountId[] = []
  const prepare = async (db: Database) => void (accounts = await openAccounts(db, 1_000))
  const server = stack.use(await openServer(ledgerMigrations, prepare))
  const ways = await openWays(server, accounts, stack)
  console.log(`${server.version}, Node ${process.version}; ${await server.durability()}`)

  const thresholds: Threshold[] = []
  for (const section of options.only) {
    process.stderr.write(`measuring ${section}\n`)
    const report = await run[section]({ options, server, ways, accounts })
    console.log(`\n${report.text}`)
    thresholds.push(...report.thresholds)
  }
  return thresholds
}

/** Ctrl-C ends the run, and what was started is stopped in order. */
function interruption(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(undefined))
  })
}

function optionsOrExit(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (parsed !== 'help') return parsed
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
