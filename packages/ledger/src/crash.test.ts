import { openOwnPostgres, openTempDir } from '@weir/local/testing'
import { type Database, openDatabase } from '@weir/runtime'
import { type TestContext, expect, test } from 'vitest'
import { expectBooksToStandBy, isUntold, openAccounts } from './testing/crash/aftermath.ts'
import { takenBack } from './testing/crash/answers.ts'
import { type Cut, openCutter } from './testing/crash/cutter.ts'
import { type Journal, notesIn } from './testing/crash/journal.ts'
import { createClientLanes } from './testing/crash/client-lanes.ts'
import { startLoad } from './testing/crash/load.ts'
import { createProgram, keepBusy } from './testing/crash/program.ts'
import { type Random, createRandom } from './testing/crash/random.ts'
import { resourcesOf } from './testing/crash/resources.ts'
import { PATIENCE_MS } from './testing/lanes.ts'
import { openLedgerFixture } from './testing/ledger-fixture.ts'

test(
  'clients and Postgres are killed under load: what was acknowledged stands, the rest is there once or not at all',
  { timeout: 240_000 },
  async (context) => {
    const random = randomOf(context)
    const resources = resourcesOf(context)
    const postgres = resources.use(await openOwnPostgres())
    const { path: dir } = resources.use(await openTempDir())
    const db = resources.use(connect(postgres.url, 2))
    const accounts = await openAccounts(db)
    const load = resources.use(startLoad({ url: postgres.url, dir, accounts, clients: 3, random }))

    const mishaps = ['client', 'killed', 'stopped'] as const
    for (const mishap of random.shuffled([...mishaps, ...mishaps, ...mishaps])) {
      await load.goesOn(random.between(200, 2_000))
      if (mishap === 'client') await load.killOne()
      else {
        await postgres.crash(mishap)
        if (random.chance(30)) await load.killOne()
        await postgres.restart()
      }
    }
    await load.goesOn(500)
    const journal = await load.finish()

    expect(journal.asked.filter(isUntold)).not.toEqual([])
    await expectBooksToStandBy(db, accounts, journal)
  },
)

test.each<[string, Cut]>([
  ['as soon as a batch has left', 'sent'],
  ['between the commit of a batch and its answer', 'answered'],
])('a connection is lost %s, a hundred times: the verdicts are asked for again and are the same', async (_, cut) => {
  await using resources = new AsyncDisposableStack()
  const ledger = resources.use(await openLedgerFixture())
  const accounts = await openAccounts(ledger.db)
  // Every other one, so that each batch that was cut is the next one again, and is answered.
  const cutAt = (batch: number) => (batch % 2 === 0 ? cut : undefined)
  const operations = resources.use(await openCutter(ledger.url, cutAt))
  const amendments = resources.use(await openCutter(ledger.url, cutAt))
  const journal: Journal = { asked: [], failures: [] }
  const notes = notesIn(journal)
  const lanes = createClientLanes({
    operations: resources.use(connect(operations.url, 1)),
    amendments: resources.use(connect(amendments.url, 1)),
    maxBatch: 20,
    onFailure: notes.failed,
  })
  const work = createProgram({ lanes, notes, random: createRandom(1), accounts })

  await keepBusy(work, 24, () => operations.answers.length >= 200 && amendments.answers.length >= 30)

  expect(takenBack(await Promise.all(operations.answers))).toEqual([])
  expect(takenBack(await Promise.all(amendments.answers))).toEqual([])
  expect(journal.asked.filter(isUntold)).toEqual([])
  await expectBooksToStandBy(ledger.db, accounts, journal)
})

/** Another one in every run; when the test has failed, it says which. */
function randomOf({ onTestFailed }: TestContext): Random {
  const seed = Math.floor(Math.random() * 2 ** 31)
  onTestFailed(() => console.log(`The seed was ${seed}`))
  return createRandom(seed)
}

function connect(url: string, max: number): Database {
  return openDatabase(url, { max, timeoutMs: PATIENCE_MS, onError: () => {} })
}
