import { type AccountId, type CompletionId, newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation, Settle } from './operations.ts'
import { type LedgerFixture, applyBatch, createLane, openLedgerFixture } from './testing/ledger-fixture.ts'
import { holdBack, whenWaiting } from './testing/locks.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const lockOf = (accountId: AccountId) => sql`select from ledger.account where id = ${uuidOf(accountId)} for update`
const reserveOf = (accountId: AccountId, amount: bigint, completionId = newCompletionId()): Operation => {
  return { kind: 'reserve', accountId, completionId, amount }
}

test('two completions race for the last credits and exactly one gets them', async () => {
  await using other = ledger.connect()
  const accountId = await ledger.accountWith(100n)
  const ask = () => reserveOf(accountId, 100n)

  const outcomes = await Promise.all([applyBatch(ledger.db, [ask()]), applyBatch(other, [ask()])])

  expect(outcomes.map(([verdict]) => verdict!.kind).sort()).toEqual(['insufficient_credits', 'reserved'])
  expect(await ledger.available(accountId)).toBe(0n)
})

test('a settlement that had to wait for its account sees what was settled meanwhile', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 20n)
  await ledger.reserved(accountId, 60n)
  await using held = await holdBack(ledger.db, lockOf(accountId))
  const waiting = [1, 2, 3].map(() => ledger.settle(accountId, completionId, 20n))
  await whenWaiting(ledger.db, 3)

  await held.letGo()

  const kinds = (await Promise.all(waiting)).map(({ kind }) => kind)
  expect(kinds.sort()).toEqual(['already_closed', 'already_closed', 'closed'])
  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 80n, reserved: 60n, available: 20n })
})

test('six connections settle the same completion at the same time, 200 times, and it is never charged twice', async () => {
  await using connections = new AsyncDisposableStack()
  const six = Array.from({ length: 6 }, () => connections.use(ledger.connect()))
  const accountId = await ledger.accountWith(...Array<bigint>(20).fill(100n))
  // Without it, a second settlement would be stopped by `held` falling below zero.
  await ledger.reserved(accountId, 500n)
  const settleSixTimes = async (completionId: CompletionId) => {
    const settle: Settle = { kind: 'settle', accountId, completionId, cost: 7n }
    return (await Promise.all(six.map((connection) => applyBatch(connection, [settle])))).flat()
  }

  for (let time = 1; time <= 200; time++) {
    const verdicts = await settleSixTimes(await ledger.reserved(accountId, 9n))
    expect(verdicts).toMatchObject(Array(6).fill({ charged: 7n }))
    expect(verdicts.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
  }

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 600n, reserved: 500n, available: 100n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a batch that began before an account had credits does not spend them a second time', async () => {
  const [oldId, newId] = [await ledger.accountWith(10n), newAccountId()]
  const completionId = newCompletionId()
  // The batch stops at the lock of the old account, and again before it writes what it has decided.
  await using beforeReading = await holdBack(ledger.db, lockOf(oldId))
  await using beforeWriting = await holdBack(
    ledger.db,
    sql`insert into ledger.reservation (id, account_id, amount, created_at)
      values (${uuidOf(completionId)}, ${uuidOf(oldId)}, 1, now())`,
  )
  const early = ledger.apply(reserveOf(oldId, 1n, completionId), reserveOf(newId, 100n))
  await whenWaiting(ledger.db, 1)
  await ledger.give({ accountId: newId, kind: 'purchased', amount: 100n })
  await beforeReading.letGo()
  await whenWaiting(ledger.db, 1)

  const late = await ledger.reserve(newId, 100n)
  await beforeWriting.letGo()

  const kinds = [...(await early).slice(1), late].map(({ kind }) => kind)
  expect(kinds.sort()).toEqual(['insufficient_credits', 'reserved'])
  expect(await ledger.faults(oldId, newId)).toEqual([])
})

test('credits given while a batch is under way are not lost', async () => {
  const accountId = await ledger.accountWith(100n)
  await using held = await holdBack(ledger.db, lockOf(accountId))
  const reserving = ledger.reserve(accountId, 60n)
  const giving = ledger.give({ accountId, kind: 'purchased', amount: 100n })
  await whenWaiting(ledger.db, 2)

  await held.letGo()
  await Promise.all([reserving, giving])

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 200n, reserved: 60n, available: 140n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('two accounts claim one completion at the same time and one of them gets it', async () => {
  const accounts = [await ledger.accountWith(100n), await ledger.accountWith(100n)]
  const completionId = newCompletionId()

  const outcomes = await Promise.allSettled(accounts.map((accountId) => ledger.reserve(accountId, 100n, completionId)))

  // The other one is refused or, when both were decided before either was written, stopped by the unique key.
  expect(outcomes.filter((result) => result.status === 'fulfilled' && result.value.kind === 'reserved')).toHaveLength(1)
  expect(await ledger.faults(...accounts)).toEqual([])
})

test('operations of two hundred accounts arrive in any order, share a batch, and each is decided by its own books', async () => {
  const accounts = await Promise.all(Array.from({ length: 200 }, (_, i) => ledger.accountWith(BigInt(i % 3) + 1n)))
  await using lane = createLane(ledger.db)

  const verdicts = await Promise.all(
    shuffled(accounts.keys()).map(async (i) => [i, await lane.submit(reserveOf(accounts[i]!, 2n))] as const),
  )

  const kinds = new Map(verdicts.map(([i, { kind }]) => [i, kind]))
  const expected = accounts.map((_, i) => (i % 3 === 0 ? 'insufficient_credits' : 'reserved'))
  expect(accounts.map((_, i) => kinds.get(i))).toEqual(expected)
  expect(await ledger.faults(...accounts)).toEqual([])
})

test('processes that send batches over the same accounts in different order never block each other for good', async () => {
  await using connections = new AsyncDisposableStack()
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const lane = () => connections.use(createLane(connections.use(ledger.connect()), { maxBatch: 10, onFailure }))
  const lanes = [lane(), lane(), lane(), lane()]
  const accounts = await Promise.all(Array.from({ length: 8 }, () => ledger.accountWith(1_000n)))

  const everywhere = lanes.flatMap(({ submit }) =>
    shuffled(Array.from({ length: 400 }, (_, i) => accounts[i % 8]!)).map(async (accountId) => {
      const completionId = newCompletionId()
      const reserved = await submit(reserveOf(accountId, 2n, completionId))
      const closed = await submit({ kind: 'settle', accountId, completionId, cost: 1n })
      return [reserved.kind, closed.kind]
    }),
  )

  expect(await Promise.all(everywhere)).toEqual(Array(1_600).fill(['reserved', 'closed']))
  expect(failures).toEqual([])
  expect(await Promise.all(accounts.map(ledger.available))).toEqual(Array(8).fill(800n))
  expect(await ledger.faults(...accounts)).toEqual([])
})

test('an operation that the books refuse to write spoils no neighbour of its batch', async () => {
  const accountId = await ledger.accountWith(100n)
  await using lane = createLane(ledger.db)
  const amounts = [10n, 10n, 10n, -1n, 10n, 10n]

  const outcomes = await Promise.allSettled(amounts.map((amount) => lane.submit(reserveOf(accountId, amount))))

  const reserved = { status: 'fulfilled', value: { kind: 'reserved' } }
  const refused = { status: 'rejected', reason: { constraint: 'reservation_amount_not_negative' } }
  expect(outcomes).toMatchObject([reserved, reserved, reserved, refused, reserved, reserved])
  expect(await ledger.available(accountId)).toBe(50n)
  expect(await ledger.faults(accountId)).toEqual([])
})

function shuffled<T>(items: Iterable<T>): T[] {
  return [...items]
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
