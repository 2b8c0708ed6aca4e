import { newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { holdBack, whenWaiting } from './testing/locks.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('an account that was never given credits has none', async () => {
  expect(await ledger.balanceOf(newAccountId())).toEqual({ balance: 0n, reserved: 0n, available: 0n })
})

test('given credits can be spent at once and stand in the books', async () => {
  const accountId = newAccountId()

  const { grant, repeated } = await ledger.give({ accountId, kind: 'promotional', amount: 100n })

  expect(repeated).toBe(false)
  expect(grant).toMatchObject({ kind: 'promotional', amount: 100n, balance: 100n, reference: null })
  expect(await ledger.available(accountId)).toBe(100n)
  expect(await ledger.entries(accountId)).toMatchObject([
    { sequence: 1, kind: 'grant', amount: 100n, grantId: grant.id, completionId: null, balanceAfter: 100n },
  ])
})

test('an amount past what a float can hold is kept to the microcredit', async () => {
  const amount = 9_007_199_254_740_993n
  const accountId = await ledger.accountWith(amount)
  const completionId = await ledger.reserved(accountId, amount)

  await ledger.settle(accountId, completionId, amount - 1n)

  expect(await ledger.available(accountId)).toBe(1n)
})

test('giving again with the same reference returns the grant of the first time, spent or not', async () => {
  const accountId = newAccountId()
  const give = (amount: bigint) => ledger.give({ accountId, kind: 'purchased', amount, reference: 'invoice 7' })
  const first = await give(100n)
  await ledger.settle(accountId, await ledger.reserved(accountId, 60n), 60n)

  const second = await give(999n)

  expect(second).toEqual({ grant: { ...first.grant, balance: 40n }, repeated: true })
  expect(await ledger.available(accountId)).toBe(40n)
})

test('six connections open an account with one reference at the same time, and the credits are given once', async () => {
  const accountId = newAccountId()
  const give = () => ledger.give({ accountId, kind: 'purchased', amount: 100n, reference: 'invoice 7' })

  const given = await Promise.all([give(), give(), give(), give(), give(), give()])

  expect(new Set(given.map(({ grant }) => grant.id)).size).toBe(1)
  expect(given.filter(({ repeated }) => !repeated)).toHaveLength(1)
  expect(await ledger.available(accountId)).toBe(100n)
})

test('whoever waits to give with a reference sees that it was given meanwhile', async () => {
  const accountId = await ledger.accountWith(10n)
  await using held = await holdBack(
    ledger.db,
    sql`select from ledger.account where id = ${uuidOf(accountId)} for update`,
  )
  const give = () => ledger.give({ accountId, kind: 'purchased', amount: 100n, reference: 'invoice 7' })
  const giving = [give(), give(), give()]
  await whenWaiting(ledger.db, 3)

  await held.letGo()

  const given = await Promise.all(giving)
  expect(given.filter(({ repeated }) => !repeated)).toHaveLength(1)
  expect(await ledger.available(accountId)).toBe(110n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a reference belongs to its account, and grants without one are each given', async () => {
  const [accountId, otherId] = [newAccountId(), newAccountId()]
  const grant = { kind: 'purchased', amount: 100n } as const

  await ledger.give({ ...grant, accountId, reference: 'invoice 7' })
  await ledger.give({ ...grant, accountId: otherId, reference: 'invoice 7' })
  await ledger.give({ ...grant, accountId })
  await ledger.give({ ...grant, accountId })

  expect([await ledger.available(accountId), await ledger.available(otherId)]).toEqual([300n, 100n])
})

test.each([0n, -5n])('a grant of %s credits is refused and leaves no trace', async (amount) => {
  const accountId = newAccountId()

  await expect(ledger.give({ accountId, kind: 'purchased', amount })).rejects.toThrow('violates check constraint')

  expect(await ledger.grantsOf(accountId, { limit: 10 })).toEqual([])
  expect(await ledger.entries(accountId)).toEqual([])
})

test('entries number every movement of an account without a gap and carry each grant from balance to balance', async () => {
  const accountId = await ledger.accountWith(['promotional', 30n], ['purchased', 100n])
  for (const cost of [20n, 25n, 0n, 15n]) await ledger.settle(accountId, await ledger.reserved(accountId, 25n), cost)

  const entries = await ledger.entries(accountId)

  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
  expect(entries.map(({ amount, balanceAfter }) => [amount, balanceAfter])).toEqual([
    [30n, 30n],
    [100n, 100n],
    [-20n, 10n],
    [-10n, 0n],
    [-15n, 85n],
    [-15n, 70n],
  ])
  expect(await ledger.faults(accountId)).toEqual([])
})

test('entries are read newest first, page by page, and every page continues the one before', async () => {
  const accountId = await ledger.accountWith(1n, 2n, 3n, 4n, 5n)

  const first = await ledger.entriesOf(accountId, { limit: 2 })
  const second = await ledger.entriesOf(accountId, { limit: 2, before: first[1]!.sequence })
  const last = await ledger.entriesOf(accountId, { limit: 2, before: second[1]!.sequence })

  expect([first, second, last].map((page) => page.map(({ amount }) => amount))).toEqual([[5n, 4n], [3n, 2n], [1n]])
})

test('grants are read newest first, with what each still holds', async () => {
  const accountId = await ledger.accountWith(10n, 20n, 30n)
  await ledger.settle(accountId, await ledger.reserved(accountId, 15n), 15n)

  const grants = await ledger.grantsOf(accountId, { limit: 2 })

  expect(grants.map(({ amount, balance }) => [amount, balance])).toEqual([
    [30n, 30n],
    [20n, 15n],
  ])
})

test('the books of one account say nothing about another', async () => {
  const [accountId, otherId] = [await ledger.accountWith(10n), await ledger.accountWith(20n)]
  await ledger.reserve(otherId, 5n, newCompletionId())

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 10n, reserved: 0n, available: 10n })
  expect((await ledger.entries(accountId)).map(({ amount }) => amount)).toEqual([10n])
})
