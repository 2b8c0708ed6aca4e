import fc from 'fast-check'
import { newCompletionId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import { type TestClock, takeClock } from './testing/clock.ts'
import { type Comparison, createComparison } from './testing/comparison.ts'
import { applyBatch, inOrderOfAccounts } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { START, type Step, plans, program } from './testing/programs.ts'
import { rowsOf } from './testing/rows.ts'
import { type Tally, newTally, tallyOf } from './testing/tally.ts'

// Where the properties of the books are shown, by their number in the ledger's reference:
//
//  P1  never overdrawn, at every commit      books (the constraints), `compare` below after every program
//  P2  the balance is the sum of ...         faults: recomputed from the rows after every program
//  P3  held is what open reservations hold   faults, for the account and for each period of a key
//  P4  gapless, chained                      faults; ledger
//  P5  reserved once, ended once             the first test below; double-charge; races
//  P6  charged + uncollected = cost          faults; settle
//  P7  asking again                          `askAgain` of the comparison, after every batch; lost-connections
//  P8  same name, other content              reserve; references
//  P9  the model's answers                   the first test below; linearizability; processes
//  P10 other batches, same rows              the second test below
//  P11 a bad operation spoils no other       the third test below; races for what cannot be committed at all
//  P12 what is refused writes nothing        reserve; the third test below
//  P13 the order of drawing                  the model draws by its own; expiry
//  P14 within its reservation always paid    `compare` of the comparison; expiry
//  P15 forfeited only what nobody may draw   the model, faults (drawn in time); expiry
//  P16 refunds go back where they came from  the model; refunds
//  P17 what was quoted keeps its price       prices
//  P20 conservation                          faults: what actions brought and completions took
//
// P18 and P19, on workers that are late and reservations under a live lease, are matters of other rooms.

let ledger: LedgerFixture
let clock: TestClock
beforeAll(async () => {
  ledger = await openLedgerFixture()
  clock = await takeClock(ledger.db, START)
})
afterAll(() => ledger[Symbol.asyncDispose]())

/** New accounts with whatever a program has done to them. */
async function booksAfter(steps: readonly Step[], met?: Tally): Promise<Comparison> {
  await clock.turnTo(START)
  const books = createComparison(ledger, clock, met)
  for (const step of steps) await books.run(step)
  return books
}

test('whatever is asked, the ledger answers and books like a plain model, and the same when it is asked again', async () => {
  const met = newTally()
  await fc.assert(
    fc.asyncProperty(program, async (steps) => {
      const books = await booksAfter(steps, met)
      await books.compare()
      tallyOf(books.model.books, met)
    }),
    { numRuns: 80 },
  )
  // Programs that never meet the hard cases show nothing.
  expect([...met].filter(([, times]) => times === 0)).toEqual([])
}, 240_000)

/** What these operations would answer and leave behind if they were sent in these batches; it is undone. */
async function outcomeOf(books: Comparison, batches: readonly (readonly Operation[])[]) {
  const tx = await ledger.db.startTransaction().execute()
  try {
    const verdicts = []
    for (const batch of batches) verdicts.push(...(await applyBatch(tx as Database, batch)))
    return { verdicts, rows: withoutTimes(await rowsOf(tx as Database, books.accounts)) }
  } finally {
    await tx.rollback().execute()
  }
}

/** Every batch has its own time and counts as one: rows that must be the same from other batches do without both. */
function withoutTimes(rows: unknown): unknown {
  const times = ['createdAt', 'closedAt', 'lastAt', 'version']
  return JSON.parse(
    JSON.stringify(rows, (name, value: unknown) =>
      times.includes(name) ? undefined : typeof value === 'bigint' ? value.toString() : value,
    ),
  )
}

test('the same operations cut into other batches get the same answers and leave the same rows', async () => {
  const cuts = fc.array(fc.nat({ max: 8 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(program, plans, cuts, async (steps, next, cuts) => {
      const books = await booksAfter(steps)
      const ops = books.operationsOf(next)
      const ends = [...cuts, ops.length].sort((a, b) => a - b)
      const batches = ends.map((end, i) => ops.slice(ends[i - 1] ?? 0, end))

      expect(await outcomeOf(books, batches)).toEqual(await outcomeOf(books, [ops]))
    }),
    { numRuns: 25 },
  )
}, 240_000)

test('an operation that is refused changes no answer and no row of its batch', async () => {
  const refused = fc.constantFrom<Operation['kind'][]>('reserve', 'extend', 'settle', 'release', 'expire')
  await fc.assert(
    fc.asyncProperty(program, plans, refused, fc.nat({ max: 8 }), async (steps, next, kind, position) => {
      const books = await booksAfter(steps)
      const ops = books.operationsOf(next)
      const of = { accountId: books.accounts[position % 3]!, completionId: newCompletionId() }
      // More than anybody has, or the end of what never began.
      const bad: Operation = kind === 'reserve' ? { kind, ...of, quote: 10_000n } : { ...of, kind, cost: 1n }
      const withBad = inOrderOfAccounts(ops.toSpliced(position, 0, bad))

      const { verdicts, rows } = await outcomeOf(books, [withBad])

      const others = verdicts.filter((_, i) => withBad[i] !== bad)
      expect({ verdicts: others, rows }).toEqual(await outcomeOf(books, [ops]))
    }),
    { numRuns: 25 },
  )
}, 240_000)
