import { type AccountId, type CompletionId, newCompletionId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { afterEach, expect, test, vi } from 'vitest'
import { type UsedAccount, useAccounts } from './testing/check-fixture.ts'
import { createLedgerCheck } from './check/check.ts'
import { type KeepMonthsOptions, type KeptMonths, keepMonths } from './months.ts'
import { takeClock } from './testing/clock.ts'
import { createLane } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { holdBack } from './testing/locks.ts'

const now = new Date()
/** The middle of the month that comes so many after the present one. */
const inMonth = (ahead: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 15, 12))
const months = (...ahead: number[]) => ahead.map((n) => inMonth(n).toISOString().slice(0, 7))
const partition = (table: string, ahead: number) => `${table}_${months(ahead)[0]!.replace('-', '_')}`

afterEach(() => void vi.useRealTimers())

/** Books in the present month, and a clock that is turned together with the one by which ids are minted. */
async function openBooks() {
  const ledger = await openLedgerFixture()
  const clock = await takeClock(ledger.db, inMonth(0))
  const turnTo = (at: Date) => {
    vi.setSystemTime(at)
    return clock.turnTo(at)
  }
  await turnTo(inMonth(0))
  await keepUntilDone(ledger.db)
  return { ledger, turnTo, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() }
}

async function pay(ledger: LedgerFixture, accountId: AccountId, cost: bigint): Promise<CompletionId> {
  const completionId = await ledger.reserved(accountId, cost)
  expect(await ledger.settle(accountId, completionId, cost)).toMatchObject({ kind: 'closed' })
  return completionId
}

/** Tries until the locks are to be had: where much is going on, somebody may be in the way for a moment. */
async function keepUntilDone(db: Database, options: KeepMonthsOptions = {}): Promise<KeptMonths> {
  const done: KeptMonths = { made: [], detached: [], left: [] }
  for (;;) {
    const { made, detached, left } = await keepMonths(db, options)
    done.made.push(...made)
    done.detached.push(...detached)
    if (!left.some(({ reason }) => reason.includes('lock timeout'))) return { ...done, left }
  }
}

const findingsOf = async ({ db }: LedgerFixture) => (await createLedgerCheck(db).check({ leaseGraceMs: 1e12 })).findings

test('rows lie in the month in which their completion was made, whenever they are written', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  const accountId = await ledger.accountWith(100n)
  await turnTo(inMonth(3))
  expect(await keepUntilDone(ledger.db)).toEqual({ made: months(3, 4, 5), detached: [], left: [] })
  const late = await ledger.reserved(accountId, 1n)

  await turnTo(inMonth(4))
  await ledger.settle(accountId, late, 1n)
  await pay(ledger, accountId, 1n)

  const { rows } = await sql<{ lies: string }>`
    select tableoid::regclass::text as lies from ledger.reservation
    union all select tableoid::regclass::text from ledger.entry where kind = 'charge' order by lies`.execute(ledger.db)
  expect(rows.map(({ lies }) => lies)).toEqual(
    ['entry', 'reservation'].flatMap((table) => [3, 4].map((n) => `ledger.${partition(table, n)}`)),
  )
})

test('a month is taken out when nothing of it is open any more, and the books stay whole', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  const accounts = await useAccounts(ledger, { turnTo }, inMonth(0), 2)
  const { accountId, settled } = accounts[0]!
  await turnTo(inMonth(4))
  await pay(ledger, accountId, 10n)

  const [first] = months(0)
  expect((await keepUntilDone(ledger.db, { monthsKept: 2 })).left).toEqual([
    { month: first, reason: `4 reservations of ${first} are open` },
  ])

  // The entries of what is settled now go with the old month, while older ones of the new month stay.
  await endAll(ledger, accounts)
  const balances = () => Promise.all(accounts.map((account) => ledger.balanceOf(account.accountId)))
  const before = await balances()
  expect(await keepUntilDone(ledger.db, { monthsKept: 2 })).toEqual({ made: [], detached: [first], left: [] })
  expect(await balances()).toEqual(before)
  expect(await findingsOf(ledger)).toEqual([])

  expect(await ledger.entries(accountId)).toMatchObject([{ kind: 'charge', amount: -10n }])
  const { rows } = await sql<{ entries: bigint }>`
    select count(*) as entries from ledger_archive.${sql.raw(partition('entry', 0))}`.execute(ledger.db)
  expect(rows).toEqual([{ entries: 50n }])
  expect(await ledger.change(accountId, { op: 'refund', completionId: settled })).toEqual({ kind: 'not_found' })
})

test('what is archived in part goes on, and is archived again', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  const accounts = await useAccounts(ledger, { turnTo }, inMonth(0), 1)
  const { accountId, keyId, grant } = accounts[0]!
  await endAll(ledger, accounts)

  for (const month of [4, 8]) {
    await turnTo(inMonth(month))
    expect(await keepUntilDone(ledger.db, { monthsKept: 1 })).toMatchObject({ left: [] })
    expect(await findingsOf(ledger)).toEqual([])

    const completionId = newCompletionId()
    await ledger.reserve(accountId, 50n, completionId, { keyId })
    await ledger.settle(accountId, completionId, 40n)
    await ledger.change(accountId, { op: 'refund', completionId, amount: 5n })
    expect(await findingsOf(ledger)).toEqual([])
  }

  expect((await ledger.change(accountId, { op: 'revoke', grantId: grant })).kind).toBe('done')
  expect(await findingsOf(ledger)).toEqual([])
})

test('what came before its month was made is told, and brought home when it is made', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  const accountId = await ledger.accountWith(100n)
  await turnTo(inMonth(3))
  await pay(ledger, accountId, 10n)
  const open = await ledger.reserved(accountId, 10n)

  const strays = (await findingsOf(ledger)).filter(({ invariant }) => invariant === 'rows-lie-in-their-month')
  expect(strays).toMatchObject([{ accountId, message: expect.stringMatching(/^2 of its reservations and 1 of its /) }])

  await keepUntilDone(ledger.db)
  expect(await findingsOf(ledger)).toEqual([])
  expect(await ledger.settle(accountId, open, 5n)).toMatchObject({ kind: 'closed', charged: 5n })
  await expect(sql`delete from ledger.entry_default`.execute(ledger.db)).rejects.toThrow('append-only')
})

test('several processes keep the months at once, and each is made and taken out once', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  await turnTo(inMonth(4))

  const told = await Promise.all([1, 2, 3, 4].map(() => keepUntilDone(ledger.db, { monthsKept: 2 })))

  expect(told.flatMap(({ made }) => made).toSorted()).toEqual(months(4, 5, 6).toSorted())
  const detached = told.flatMap(({ detached }) => detached)
  expect(new Set(detached).size).toBe(detached.length)
  expect(detached).toEqual(expect.arrayContaining(months(0, 1)))
})

test('who cannot have the tables soon leaves the month for the next time, and no operation fails', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  const accountId = await ledger.accountWith(100n)
  await turnTo(inMonth(2))
  await using reading = await holdBack(ledger.db, sql`select from ledger.reservation`)

  const keeping = keepMonths(ledger.db)
  await Promise.all(Array.from({ length: 10 }, () => pay(ledger, accountId, 1n)))

  const reason = 'canceling statement due to lock timeout'
  expect(await keeping).toEqual({ made: [], detached: [], left: months(3, 4).map((month) => ({ month, reason })) })
  await reading.letGo()
  expect(await keepUntilDone(ledger.db)).toEqual({ made: months(3, 4), detached: [], left: [] })
})

test('months are made and taken out under load, and no operation fails', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  await using other = ledger.connect(2)
  await using lanes = new AsyncDisposableStack()
  const [admitting, finishing] = [lanes.use(createLane(ledger.db)), lanes.use(createLane(other))]
  const accountIds = await Promise.all(Array.from({ length: 10 }, () => ledger.accountWith(1_000n)))
  const spend = async (accountId: AccountId) => {
    for (let time = 0; time < 10; time++) {
      const completionId = newCompletionId()
      const reserved = await admitting.submit({ kind: 'reserve', accountId, completionId, quote: 3n })
      expect(reserved).toMatchObject({ kind: 'reserved' })
      const settled = await finishing.submit({ kind: 'settle', accountId, completionId, cost: 2n })
      expect(settled).toMatchObject({ kind: 'closed', charged: 2n })
    }
  }

  const detached: string[] = []
  for (let month = 1; month <= 6; month++) {
    await turnTo(inMonth(month))
    const load = Promise.all(accountIds.map(spend))
    const kept = await Promise.all([ledger.db, other].map((db) => keepUntilDone(db, { monthsKept: 1 })))
    detached.push(...kept.flatMap((done) => done.detached))
    await load
  }

  expect(detached).toEqual(expect.arrayContaining(months(0, 1, 2, 3, 4)))
  expect(await findingsOf(ledger)).toEqual([])
  const left = await Promise.all(accountIds.map((accountId) => ledger.available(accountId)))
  expect(left).toEqual(accountIds.map(() => 1_000n - 6n * 10n * 2n))
})

test('the month before the present one stays, and a month that has ended just now', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  await expect(keepMonths(ledger.db, { monthsKept: 0 })).rejects.toThrow(RangeError)

  // A completion that was made in its last moments may still be on its way.
  await turnTo(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 2)))
  const detaching = sql`select ledger.detach_month(${inMonth(0).toISOString()}::date)`.execute(ledger.db)
  await expect(detaching).rejects.toMatchObject({ code: '55006' })
})

test('the role of those who serve may keep the months', async () => {
  await using books = await openBooks()
  const { ledger, turnTo } = books
  await using app = ledger.connect()
  await sql`grant select on public.turned_clock to weir_app`.execute(ledger.db)
  await sql`set role weir_app`.execute(app)
  await turnTo(inMonth(4))

  expect((await keepUntilDone(app, { monthsKept: 1 })).made).toEqual(months(4, 5, 6))
  expect((await createLedgerCheck(app).check()).findings).toEqual([])
})

async function endAll(ledger: LedgerFixture, accounts: readonly UsedAccount[]): Promise<void> {
  for (const { accountId } of accounts)
    for (const { id, state } of await ledger.reservations(accountId))
      if (state === 'open') await ledger.settle(accountId, id, 3n)
}
