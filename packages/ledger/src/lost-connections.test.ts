import { setImmediate as turn } from 'node:timers/promises'
import { type AccountId, newCompletionId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import { type Verdict, applyBatch, createLane } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { rowsOf } from './testing/rows.ts'

type Told = [Operation, Verdict][]
type Submit = (op: Operation, i: number) => Promise<Verdict>

test('connections are cut while batches commit: every operation has one verdict, and the books stand by it', async () => {
  await using ledger = await openLedgerFixture()
  await using connections = new AsyncDisposableStack()
  const accounts = await Promise.all([2_000n, 300n, 40n].map((amount) => ledger.accountWith(amount, amount)))
  const cuts: unknown[] = []
  const onFailure = (error: unknown) => cuts.push(error)
  const lanes = [1, 2, 3].map(() => createLane(connections.use(ledger.connect()), { maxBatch: 20, onFailure }))
  const told: Told = []
  const submit = telling(told, (op, i) => lanes[i % 3]!.submit(op))

  while (cuts.length < 20) {
    const completions = Array.from({ length: 300 }, (_, i) => runCompletion(submit, accounts[i % 3]!, i))
    await cutConnections(ledger.db, told, Promise.all(completions))
  }

  expect(await ledger.faults(...accounts)).toEqual([])
  await expectBooksToStandBy(ledger, accounts, told)
})

test('the answer to a batch that has committed is lost: it is sent again and nobody pays twice', async () => {
  await using ledger = await openLedgerFixture()
  const accounts = await Promise.all([200n, 100n, 40n].map((amount) => ledger.accountWith(amount, amount)))
  let batches = 0
  const commit: typeof applyBatch = async (db, ops) => {
    const verdicts = await applyBatch(db, ops)
    if (batches++ % 2 === 0) throw Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' })
    return verdicts
  }
  await using lane = createLane(ledger.db, { maxBatch: 20, commit })
  const told: Told = []
  const submit = telling(told, lane.submit)

  await Promise.all(Array.from({ length: 120 }, (_, i) => runCompletion(submit, accounts[i % 3]!, i)))

  expect(await ledger.faults(...accounts)).toEqual([])
  await expectBooksToStandBy(ledger, accounts, told)
})

/** Notes every verdict that was told. */
function telling(told: Told, submit: Submit): Submit {
  return async (op, i) => {
    const verdict = await submit(op, i)
    told.push([op, verdict])
    return verdict
  }
}

/** Reserves and, if it may, settles or releases; both go to any process, as with an API and a worker. */
async function runCompletion(submit: Submit, accountId: AccountId, i: number): Promise<void> {
  const completionId = newCompletionId()
  const { kind } = await submit({ kind: 'reserve', accountId, completionId, quote: 3n }, i)
  if (kind !== 'reserved') return
  const end = i % 10 === 0 ? ({ kind: 'release' } as const) : ({ kind: 'settle', cost: 2n } as const)
  await submit({ ...end, accountId, completionId }, i + 1)
}

/** Cuts a connection that is at work on a batch, lets a few operations through, and again, until the work is done. */
async function cutConnections(db: Database, told: Told, work: Promise<unknown>): Promise<void> {
  let working = true
  const done = work.finally(() => (working = false))
  while (working) {
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like '%ledger.apply%'
      order by random() limit 1`.execute(db)
    for (const next = told.length + 5; working && told.length < next;) await turn()
  }
  await done
}

/** What was told is what stands, and asking again changes nothing. */
async function expectBooksToStandBy(ledger: LedgerFixture, accounts: AccountId[], told: Told): Promise<void> {
  const before = await rowsOf(ledger.db, accounts)
  const standing = told.filter(([, { kind }]) => kind !== 'insufficient_credits')
  const chargedOf = (verdict: Verdict) => ('charged' in verdict ? verdict.charged : undefined)

  const captured = new Map(before.flatMap(({ reservations }) => reservations).map((row) => [row.id, row.captured]))
  expect(captured.size).toBe(standing.filter(([op]) => op.kind === 'reserve').length)
  for (const [op, verdict] of standing.filter(([{ kind }]) => kind !== 'reserve'))
    expect(captured.get(op.completionId)).toBe(chargedOf(verdict))

  await using lane = createLane(ledger.db)
  const again = await Promise.all(standing.map(([op]) => lane.submit(op)))
  expect(again.map(chargedOf)).toEqual(standing.map(([, verdict]) => chargedOf(verdict)))
  expect(await rowsOf(ledger.db, accounts)).toEqual(before)
}
