import { newAccountId, newCompletionId } from '@weir/contracts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { useAccounts } from '../testing/check-fixture.ts'
import { createLedgerCheck } from './check.ts'
import { keepMonths } from '../months.ts'
import { takeClock } from '../testing/clock.ts'
import { createLane } from '../testing/lanes.ts'
import { openLedgerFixture } from '../testing/ledger-fixture.ts'
import { whenWaiting } from '../testing/locks.ts'

const DAY_MS = 86_400_000

test('books in which nothing has happened are whole', async () => {
  await using ledger = await openLedgerFixture()

  const report = await createLedgerCheck(ledger.db).check()

  expect(report).toMatchObject({ accounts: 0, entries: 0, reservations: 0, findings: [], unlisted: 0 })
})

test('books in which everything has happened are whole', async () => {
  await using ledger = await openLedgerFixture()
  const begin = new Date()
  const accounts = await useAccounts(ledger, await takeClock(ledger.db, begin), begin, 3)
  await keepMonths(ledger.db)
  const { check } = createLedgerCheck(ledger.db)

  expect(await check()).toMatchObject({ accounts: 3, entries: 69, reservations: 30, findings: [] })
  expect(await check({ accountIds: [accounts[0]!.accountId] })).toMatchObject({
    accounts: 1,
    entries: 23,
    reservations: 10,
  })
  expect(await check({ accountIds: [newAccountId()] })).toMatchObject({ accounts: 0, entries: 0, findings: [] })
})

test('books that go on while they are checked are whole', async () => {
  await using ledger = await openLedgerFixture()
  await using lane = createLane(ledger.db)
  const accountIds = await Promise.all(Array.from({ length: 20 }, () => ledger.accountWith(1_000_000n)))
  const { check } = createLedgerCheck(ledger.db)
  let isOver = false
  const load = accountIds.map(async (accountId) => {
    while (!isOver) {
      const completionId = newCompletionId()
      await lane.submit({ kind: 'reserve', accountId, completionId, quote: 9n })
      await lane.submit({ kind: 'settle', accountId, completionId, cost: 7n })
    }
  })

  const reports = [await check(), await check(), await check()]

  isOver = true
  await Promise.all(load)
  expect(reports.flatMap(({ findings }) => findings)).toEqual([])
  expect(reports[2]!.reservations).toBeGreaterThan(reports[0]!.reservations)
})

test('a month that is taken out of the books just when a check begins is no finding', async () => {
  await using ledger = await openLedgerFixture()
  const now = new Date()
  const clock = await takeClock(ledger.db, now)
  const accountId = await ledger.accountWith(100n)
  await ledger.settle(accountId, await ledger.reserved(accountId, 20n), 10n)
  await clock.turnTo(new Date(now.getTime() + 100 * DAY_MS))
  await keepMonths(ledger.db)
  const detaching = await ledger.db.startTransaction().execute()
  await sql`select ledger.detach_month(${now.toISOString().slice(0, 10)}::date)`.execute(detaching)

  const checked = createLedgerCheck(ledger.db).check()
  await whenWaiting(ledger.db, 1)
  await detaching.commit().execute()

  expect(await checked).toMatchObject({ accounts: 1, entries: 0, reservations: 0, findings: [] })
})

test('months that were not made in time are told', async () => {
  await using ledger = await openLedgerFixture()
  await takeClock(ledger.db, new Date('2031-11-30T23:59:59.999Z'))
  const { check } = createLedgerCheck(ledger.db)

  const { findings } = await check()
  expect(findings.map(({ invariant, subject }) => `${invariant} ${subject}`)).toEqual([
    'months-are-made-ahead 2031-11',
    'months-are-made-ahead 2031-11',
    'months-are-made-ahead 2031-12',
    'months-are-made-ahead 2031-12',
    'months-are-made-ahead 2032-01',
    'months-are-made-ahead 2032-01',
  ])

  await keepMonths(ledger.db)
  expect(await check()).toMatchObject({ findings: [] })
})

test('how long a reservation may be open past its lease is for the one who asks to say', async () => {
  await using ledger = await openLedgerFixture()
  const now = Date.now()
  const clock = await takeClock(ledger.db, new Date(now))
  await keepMonths(ledger.db)
  await ledger.reserved(await ledger.accountWith(100n), 10n)
  const { check } = createLedgerCheck(ledger.db)

  // Half an hour after it was made, and so less than that after its lease.
  await clock.turnTo(new Date(now + 1_800_000))

  expect((await check()).findings).toEqual([])
  expect((await check({ leaseGraceMs: 1_800_000 })).findings).toEqual([])
  expect((await check({ leaseGraceMs: 1_000 })).findings).toMatchObject([
    { invariant: 'reservation-ends-with-its-lease' },
  ])
})

test('the role of those who serve may check the books', async () => {
  await using ledger = await openLedgerFixture()
  await ledger.reserved(await ledger.accountWith(100n), 10n)
  await using app = ledger.connect()
  await sql`set role weir_app`.execute(app)

  expect(await createLedgerCheck(app).check()).toMatchObject({ accounts: 1, findings: [] })
})

test('a check that nobody waits for any more stops', async () => {
  await using ledger = await openLedgerFixture()
  const gone = new Error('gone')

  await expect(createLedgerCheck(ledger.db).check({ signal: AbortSignal.abort(gone) })).rejects.toBe(gone)
})
