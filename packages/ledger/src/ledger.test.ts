import { newAccountId, newActionId, newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('an account that was never given credits has none', async () => {
  const accountId = newAccountId()

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 0n, reserved: 0n, available: 0n })
  expect(await ledger.statusOf(accountId)).toEqual({ frozen: false, shortage: 'refuse' })
  expect(await ledger.entriesOf(accountId, { limit: 10 })).toEqual([])
  expect(await ledger.reservationOf(newCompletionId())).toBeUndefined()
  expect(await ledger.grantOfAction(newActionId())).toBeUndefined()
})

test('an amount past what a float can hold is kept to the microcredit', async () => {
  const amount = 9_007_199_254_740_993n
  const accountId = await ledger.accountWith(amount)
  const completionId = await ledger.reserved(accountId, amount)

  await ledger.settle(accountId, completionId, amount - 1n)

  expect(await ledger.available(accountId)).toBe(1n)
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

test('grants are read newest first, page by page, with what each still holds', async () => {
  const accountId = await ledger.accountWith(10n, 20n, 30n)
  await ledger.settle(accountId, await ledger.reserved(accountId, 15n), 15n)

  const first = await ledger.grantsOf(accountId, { limit: 2 })
  const last = await ledger.grantsOf(accountId, { limit: 2, after: first[1]!.id })

  expect([...first, ...last].map(({ amount, balance }) => [amount, balance])).toEqual([
    [30n, 30n],
    [20n, 15n],
    [10n, 0n],
  ])
})

test('a grant is known by the name it was given under', async () => {
  const accountId = newAccountId()
  const verdict = await ledger.change(accountId, { op: 'grant', kind: 'purchased', amount: 5n, reference: 'invoice 7' })

  const grant = await ledger.grantOfAction((verdict as { actionId: ReturnType<typeof newActionId> }).actionId)

  expect(grant).toMatchObject({ reference: 'invoice 7', amount: 5n })
  expect(await ledger.grantsOf(accountId, { limit: 1 })).toEqual([grant])
  expect(await ledger.spendableGrantsOf(accountId)).toEqual([grant])
})

test('the books of one account say nothing about another', async () => {
  const [accountId, otherId] = [await ledger.accountWith(10n), await ledger.accountWith(20n)]
  await ledger.reserve(otherId, 5n, newCompletionId())

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 10n, reserved: 0n, available: 10n })
  expect((await ledger.entries(accountId)).map(({ amount }) => amount)).toEqual([10n])
})
