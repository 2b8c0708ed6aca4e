// A process of its own that keeps the ledger busy until its input ends or it is killed, and notes all it asks and is told.
import type { AccountId } from '@weir/contracts'
import { openDatabase } from '@weir/runtime'
import { openJournal } from './journal.ts'
import { createClientLanes } from './client-lanes.ts'
import { createProgram, keepBusy } from './program.ts'
import { createRandom } from './random.ts'

const [url = '', journal = '', seed = '', ...accounts] = process.argv.slice(2)
const notes = openJournal(journal)

let leaving = false
process.stdin.resume().once('end', () => (leaving = true))

await using db = openDatabase(url, { max: 2, timeoutMs: 10_000, onError: () => {} })
await using lanes = createClientLanes({ operations: db, amendments: db, maxBatch: 20, onFailure: notes.failed })
const work = createProgram({
  lanes,
  notes,
  random: createRandom(Number(seed)),
  accounts: accounts as AccountId[],
  onTold: () => process.stdout.write('.'),
})

await keepBusy(work, 24, () => leaving)
