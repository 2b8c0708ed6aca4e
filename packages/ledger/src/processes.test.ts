import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newArena } from './testing/contention.ts'
import { replay } from './testing/history.ts'
import { type Errand, type Report, decode, encode } from './testing/lane-process.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { createModel } from './testing/model/index.ts'
import { namesOf } from './testing/names.ts'
import { rowsOf } from './testing/rows.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const program = fileURLToPath(new URL('./testing/lane-process.ts', import.meta.url))

async function runProcess(errand: Errand): Promise<Report> {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(encode(errand))
  const [told, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(code).toBe(0)
  return decode(told) as Report
}

test('processes that send batches over the same accounts and completions never block each other for good, and are answered one after another', async () => {
  const arena = newArena(8, 60)
  const { accounts } = arena
  const grants = accounts.map((accountId) => {
    return { op: 'grant', accountId, actor: 'test', kind: 'purchased', amount: 60n } as const
  })
  const names = await namesOf(ledger.db, await ledger.amend(grants))
  const errand = { url: ledger.url, arena, operations: 1_500, lanes: 2, maxBatch: 40 }

  const reports = await Promise.all([1, 2, 3].map((seed) => runProcess({ ...errand, seed })))

  // A deadlock would be a failure here, though the batch would be sent again.
  expect(reports.flatMap(({ failures }) => failures)).toEqual([])
  const batches = reports.flatMap((report) => report.batches)
  expect(batches.flat()).toHaveLength(4_500)
  const model = createModel()
  accounts.forEach((accountId, i) => replay(model, accountId, batches, [{ amendment: grants[i]!, named: names[i]! }]))
  expect(await rowsOf(ledger.db, accounts)).toEqual(accounts.map(model.rowsOf))
  expect(await ledger.faults(...accounts)).toEqual([])
})
