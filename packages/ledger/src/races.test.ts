import { type AccountId, newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import { applyBatch, createLane } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { holdBack, whenWaiting } from './testing/locks.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const lockOf = (accountId: AccountId) => sql`select from ledger.account where id = ${uuidOf(accountId)} for update`
const reserveOf = (accountId: AccountId, quote: bigint, completionId = newCompletionId()): Operation => {
  return { kind: 'reserve', accountId, completionId, quote }
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

test('a batch that began before an account had credits does not spend them a second time', async () => {
  const [oldId, newId] = [await ledger.accountWith(10n), newAccountId()]
  const completionId = newCompletionId()
  // The batch stops at the lock of the old account, and again before it writes what it has decided.
  await using beforeReading = await holdBack(ledger.db, lockOf(oldId))
  await using beforeWriting = await holdBack(
    ledger.db,
    sql`insert into ledger.reservation (id, account_id, quote, amount, created_at, expires_at)
      values (${uuidOf(completionId)}, ${uuidOf(oldId)}, 1, 1, now(), now())`,
  )
  const early = ledger.apply(reserveOf(oldId, 1n, completionId), reserveOf(newId, 100n))
  await whenWaiting(ledger.db, 1)
  await ledger.give(newId, 100n)
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
  const giving = ledger.give(accountId, 100n)
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

test('six connections open an account with one reference at the same time, and the credits are given once', async () => {
  const accountId = newAccountId()
  const give = () => ledger.change(accountId, { op: 'grant', kind: 'purchased', amount: 100n, reference: 'invoice 7' })

  const given = await Promise.all([give(), give(), give(), give(), give(), give()])

  expect(given.map(({ kind }) => kind).sort()).toEqual(['done', ...Array(5).fill('repeated')])
  expect(await ledger.available(accountId)).toBe(100n)
})

test('whoever waits to amend with a reference sees that it was done meanwhile', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 60n)
  await ledger.settle(accountId, completionId, 60n)
  await using held = await holdBack(ledger.db, lockOf(accountId))
  const refund = (reference?: string) => ledger.change(accountId, { op: 'refund', completionId, reference })
  const refunding = [refund('ticket 1'), refund('ticket 1'), refund(), refund()]
  await whenWaiting(ledger.db, 4)

  await held.letGo()

  // Whichever of the names came first: the completion is refunded once.
  const kinds = (await Promise.all(refunding)).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'done')).toHaveLength(1)
  expect(await ledger.available(accountId)).toBe(100n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('amendments and completions over the same accounts never block each other for good', async () => {
  await using connections = new AsyncDisposableStack()
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const lanes = [1, 2].map(() =>
    connections.use(createLane(connections.use(ledger.connect()), { maxBatch: 10, onFailure })),
  )
  const accounts = await Promise.all(Array.from({ length: 8 }, () => ledger.accountWith(1_000n)))
  const give = (accountId: AccountId) =>
    ({ op: 'grant', accountId, actor: 'test', kind: 'purchased', amount: 1n }) as const

  const completing = lanes.flatMap(({ submit }) =>
    shuffled(Array.from({ length: 400 }, (_, i) => accounts[i % 8]!)).map(async (accountId) => {
      const completionId = newCompletionId()
      const reserved = await submit(reserveOf(accountId, 2n, completionId))
      const closed = await submit({ kind: 'settle', accountId, completionId, cost: 1n })
      return [reserved.kind, closed.kind]
    }),
  )
  // In both orders, on accounts that are there and on new ones.
  const amending = Array.from({ length: 20 }, (_, i) => {
    const some = [...accounts, ...Array.from({ length: 4 }, newAccountId)]
    return ledger.amend((i % 2 === 0 ? some : some.toReversed()).map(give))
  })

  expect(await Promise.all(completing)).toEqual(Array(800).fill(['reserved', 'closed']))
  expect((await Promise.all(amending)).flat().every(({ kind }) => kind === 'done')).toBe(true)
  expect(failures).toEqual([])
  expect(await Promise.all(accounts.map(ledger.available))).toEqual(Array(8).fill(920n))
  expect(await ledger.faults(...accounts)).toEqual([])
})

test('an operation that the books refuse to write spoils no neighbour of its batch', async () => {
  const accountId = await ledger.accountWith(100n)
  await using lane = createLane(ledger.db)
  const amounts = [10n, 10n, 10n, -1n, 10n, 10n]

  const outcomes = await Promise.allSettled(amounts.map((amount) => lane.submit(reserveOf(accountId, amount))))

  const reserved = { status: 'fulfilled', value: { kind: 'reserved', amount: 10n } }
  const refused = { status: 'rejected', reason: { constraint: 'reservation_not_negative' } }
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
