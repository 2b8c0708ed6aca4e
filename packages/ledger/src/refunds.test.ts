import { type AccountId, type CompletionId, newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestClock, takeClock } from './testing/clock.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

const NOON = Date.UTC(2031, 0, 15, 12)
const hours = (count: number) => new Date(NOON + count * 3_600_000)

let ledger: LedgerFixture
let clock: TestClock
beforeAll(async () => {
  ledger = await openLedgerFixture()
  clock = await takeClock(ledger.db, hours(0))
})
beforeEach(() => clock.turnTo(hours(0)))
afterAll(() => ledger[Symbol.asyncDispose]())

const refund = (accountId: AccountId, completionId: CompletionId, amount?: bigint) =>
  ledger.change(accountId, { op: 'refund', completionId, amount })

/** A completion that drew 4 of a promotional, 4 of a subscription and 2 of a purchased grant. */
async function paidCompletion() {
  const accountId = await ledger.accountWith()
  const grants = [
    await ledger.give(accountId, 4n, { kind: 'promotional', priority: 1, expiresAt: hours(1) }),
    await ledger.give(accountId, 4n, { kind: 'subscription', priority: 2 }),
    await ledger.give(accountId, 4n, { kind: 'purchased', priority: 3 }),
  ] as const
  const completionId = await ledger.reserved(accountId, 12n)
  await ledger.settle(accountId, completionId, 10n)
  const refunded = async () =>
    (await ledger.entries(accountId))
      .filter(({ kind }) => kind === 'refund')
      .map(({ grantId, amount, balanceAfter }) => [grantId, amount, balanceAfter])
  return { accountId, grants, completionId, refunded }
}

test('a refund gives back what was charged to the grants it came from, the last drawn first', async () => {
  const { accountId, grants, completionId, refunded } = await paidCompletion()

  expect(await refund(accountId, completionId)).toMatchObject({ kind: 'done', moved: 10n })

  expect(await refunded()).toEqual([
    [grants[2], 2n, 4n],
    [grants[1], 4n, 4n],
    [grants[0], 4n, 4n],
  ])
  expect(await ledger.available(accountId)).toBe(12n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('the entry of a refund names the completion that it is for, as a charge does', async () => {
  const { accountId, completionId } = await paidCompletion()
  await refund(accountId, completionId)

  const named = (await ledger.entries(accountId)).filter(({ kind }) => kind === 'refund' || kind === 'charge')

  expect(named.map((entry) => entry.completionId)).toEqual(named.map(() => completionId))
  expect(named.map(({ actionId }) => actionId === null)).toEqual(named.map(({ kind }) => kind === 'charge'))
})

test('refunds in parts go on where the one before stopped, and never past the charge', async () => {
  const { accountId, grants, completionId, refunded } = await paidCompletion()

  const verdicts = [
    await refund(accountId, completionId, 3n),
    await refund(accountId, completionId, 4n),
    await refund(accountId, completionId, 4n),
    await refund(accountId, completionId),
    await refund(accountId, completionId),
  ]

  expect(verdicts).toMatchObject([
    { kind: 'done', moved: 3n },
    { kind: 'done', moved: 4n },
    { kind: 'exceeds_charge', available: 3n },
    { kind: 'done', moved: 3n },
    { kind: 'exceeds_charge', available: 0n },
  ])
  expect((await refunded()).map(([grant, amount]) => [grants.indexOf(grant as never), amount])).toEqual([
    [2, 2n],
    [1, 1n],
    [1, 3n],
    [0, 1n],
    [0, 3n],
  ])
  expect(await ledger.faults(accountId)).toEqual([])
})

test('what came from a grant that has ended goes to a new one of its kind that does not expire', async () => {
  const { accountId, completionId } = await paidCompletion()
  await clock.turnTo(hours(2))

  await refund(accountId, completionId)

  const [made] = await ledger.grantsOf(accountId, { limit: 1 })
  expect(made).toMatchObject({ kind: 'promotional', priority: 1, amount: 4n, balance: 4n, expiresAt: null })
  expect(await ledger.available(accountId)).toBe(12n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a grant that was used up can be drawn again after a refund', async () => {
  const accountId = await ledger.accountWith(5n)
  const completionId = await ledger.reserved(accountId, 5n)
  await ledger.settle(accountId, completionId, 5n)

  await refund(accountId, completionId)

  expect(await ledger.settle(accountId, await ledger.reserved(accountId, 5n), 5n)).toMatchObject({ charged: 5n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('what was not collected is not given back', async () => {
  const accountId = await ledger.accountWith(5n)
  const completionId = await ledger.reserved(accountId, 5n)
  await ledger.settle(accountId, completionId, 9n)

  expect(await refund(accountId, completionId, 6n)).toEqual({ kind: 'exceeds_charge', available: 5n })
  expect(await refund(accountId, completionId)).toMatchObject({ kind: 'done', moved: 5n })
})

test('what was not charged, or to somebody else, is not given back', async () => {
  const [accountId, otherId] = [await ledger.accountWith(10n), await ledger.accountWith(10n)]
  const open = await ledger.reserved(accountId, 5n)
  const paid = await ledger.reserved(accountId, 5n)
  await ledger.settle(accountId, paid, 5n)

  const verdicts = [
    await refund(accountId, open),
    await refund(otherId, paid),
    await refund(accountId, newCompletionId()),
  ]

  expect(verdicts).toEqual([{ kind: 'exceeds_charge', available: 0n }, { kind: 'not_found' }, { kind: 'not_found' }])
})

test('the entries of a completion show its charges and its refunds', async () => {
  const { accountId, completionId } = await paidCompletion()
  await refund(accountId, completionId, 1n)
  await ledger.settle(accountId, await ledger.reserved(accountId, 1n), 1n)

  const entries = await ledger.entriesOf(accountId, { limit: 10, completionId })

  expect(entries.map(({ kind, amount }) => [kind, amount])).toEqual([
    ['refund', 1n],
    ['charge', -2n],
    ['charge', -4n],
    ['charge', -4n],
  ])
})
