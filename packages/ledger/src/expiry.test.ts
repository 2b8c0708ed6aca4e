import type { AccountId } from '@weir/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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

const chargesOf = async (accountId: AccountId) =>
  (await ledger.entries(accountId))
    .filter(({ kind }) => kind === 'charge')
    .map(({ grantId, amount }) => [grantId, amount])

test('credits are drawn by priority, then by the earlier expiry, then promotional before paid, then the older first', async () => {
  const accountId = await ledger.accountWith()
  const give = (...[kind, priority, expiresAt]: ['promotional' | 'purchased', number, Date?]) =>
    ledger.give(accountId, 10n, { kind, priority, expiresAt })
  const last = await give('purchased', 100)
  const fourth = await give('promotional', 100)
  const sixth = await give('purchased', 100)
  const third = await give('purchased', 100, hours(9))
  const second = await give('purchased', 100, hours(5))
  const first = await give('purchased', 50)

  await ledger.settle(accountId, await ledger.reserved(accountId, 55n), 55n)

  const drawn = [first, second, third, fourth, last].map((grant) => [grant, -10n])
  expect(await chargesOf(accountId)).toEqual([...drawn, [sixth, -5n]])
  expect((await ledger.spendableGrantsOf(accountId)).map(({ id }) => id)).toEqual([sixth])
})

describe('a grant that ends', () => {
  test('can be reserved to its last moment, and not from then on', async () => {
    const accountId = await ledger.accountWith()
    await ledger.give(accountId, 10n, { expiresAt: hours(1) })

    await clock.turnTo(new Date(hours(1).getTime() - 1))
    expect(await ledger.reserve(accountId, 4n)).toMatchObject({ kind: 'reserved' })
    await clock.turnTo(hours(1))
    expect(await ledger.reserve(accountId, 1n)).toEqual({ kind: 'insufficient_credits', available: 0n, reserved: 4n })
  })

  test('while it is reserved still pays for what was reserved before', async () => {
    const accountId = await ledger.accountWith()
    const grantId = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    const completionId = await ledger.reserved(accountId, 8n)
    await clock.turnTo(hours(2))

    const verdict = await ledger.settle(accountId, completionId, 8n)

    expect(verdict).toEqual({ kind: 'closed', charged: 8n, uncollected: 0n })
    expect(await chargesOf(accountId)).toEqual([[grantId, -8n]])
  })

  test('pays nothing of what was reserved after its end', async () => {
    const accountId = await ledger.accountWith()
    await ledger.give(accountId, 10n, { priority: 1, expiresAt: hours(1) })
    const other = await ledger.give(accountId, 10n)
    await clock.turnTo(hours(2))

    await ledger.settle(accountId, await ledger.reserved(accountId, 8n), 8n)

    expect(await chargesOf(accountId)).toEqual([[other, -8n]])
  })

  test('pays above a reservation only what nobody else has reserved', async () => {
    const accountId = await ledger.accountWith()
    await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    const mine = await ledger.reserved(accountId, 6n)
    await ledger.reserved(accountId, 4n)
    await clock.turnTo(hours(2))

    const verdict = await ledger.settle(accountId, mine, 9n)

    expect(verdict).toEqual({ kind: 'closed', charged: 6n, uncollected: 3n })
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('pays for a completion and leaves what is free for what it costs above its reservation', async () => {
    const accountId = await ledger.accountWith()
    const ended = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    const completionId = await ledger.reserved(accountId, 10n)
    const free = await ledger.give(accountId, 5n)
    await clock.turnTo(hours(2))

    const verdict = await ledger.settle(accountId, completionId, 15n)

    expect(verdict).toEqual({ kind: 'closed', charged: 15n, uncollected: 0n })
    expect(await chargesOf(accountId)).toEqual([
      [ended, -10n],
      [free, -5n],
    ])
  })

  test('is no longer part of the balance, though it still covers what is reserved', async () => {
    const accountId = await ledger.accountWith()
    await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    await ledger.give(accountId, 3n)
    await ledger.reserved(accountId, 8n)
    await clock.turnTo(hours(2))

    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 3n, reserved: 8n, available: 0n })
  })
})

describe('taking what is left of a grant that has ended', () => {
  const expire = (accountId: AccountId, grantId: Awaited<ReturnType<LedgerFixture['give']>>) =>
    ledger.change(accountId, { op: 'expire', grantId })

  test('enters its expiry, once', async () => {
    const accountId = await ledger.accountWith()
    const grantId = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    await clock.turnTo(hours(1))

    const verdicts = [await expire(accountId, grantId), await expire(accountId, grantId)]

    expect(verdicts).toMatchObject([
      { kind: 'done', moved: 10n },
      { kind: 'repeated', moved: 10n },
    ])
    const [, entry, ...more] = await ledger.entries(accountId)
    expect(entry).toMatchObject({ kind: 'expiry', amount: -10n, grantId, balanceAfter: 0n })
    expect(more).toEqual([])
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('is refused before its end, and where there is nothing', async () => {
    const [accountId, otherId] = [await ledger.accountWith(), await ledger.accountWith(1n)]
    const later = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    const never = await ledger.give(accountId, 10n)
    const spent = await ledger.give(accountId, 5n, { priority: 1, expiresAt: hours(1) })
    await ledger.settle(accountId, await ledger.reserved(accountId, 5n), 5n)

    const verdicts = [
      await expire(accountId, later),
      await expire(accountId, never),
      await expire(otherId, later),
      await expire(accountId, spent),
    ]

    expect(verdicts.map(({ kind }) => kind)).toEqual(['not_ended', 'not_ended', 'not_found', 'ended'])
    expect(await ledger.available(accountId)).toBe(20n)
  })

  test('waits until nothing is open that may still be paid from it, however many reservations come after', async () => {
    const accountId = await ledger.accountWith()
    const grantId = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    await ledger.give(accountId, 100n)
    const early = await ledger.reserved(accountId, 8n)
    await clock.turnTo(hours(2))
    await ledger.reserved(accountId, 5n)

    expect(await expire(accountId, grantId)).toEqual({ kind: 'waiting' })
    await ledger.reserved(accountId, 5n)
    expect(await ledger.settle(accountId, early, 3n)).toEqual({ kind: 'closed', charged: 3n, uncollected: 0n })
    // One that was made after its end and before it was looked at first counts as early, too.
    expect(await expire(accountId, grantId)).toEqual({ kind: 'waiting' })
    const [, between] = await ledger.reservations(accountId)
    await ledger.release(accountId, between!.id)

    expect(await expire(accountId, grantId)).toMatchObject({ kind: 'done', moved: 7n })
    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 100n, reserved: 5n, available: 95n })
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('never takes what a reservation needs, in whatever order grants end and reservations do', async () => {
    const accountId = await ledger.accountWith()
    const grants = [
      await ledger.give(accountId, 10n, { expiresAt: hours(1) }),
      await ledger.give(accountId, 10n, { expiresAt: hours(2) }),
    ]
    const first = await ledger.reserved(accountId, 15n)
    await clock.turnTo(hours(1))
    const second = await ledger.reserve(accountId, 5n)
    await clock.turnTo(hours(3))

    const waiting = [await expire(accountId, grants[0]!), await expire(accountId, grants[1]!)]

    expect(second).toMatchObject({ kind: 'insufficient_credits', available: 0n })
    expect(waiting).toEqual([{ kind: 'waiting' }, { kind: 'waiting' }])
    expect(await ledger.settle(accountId, first, 15n)).toMatchObject({ charged: 15n, uncollected: 0n })
    expect(await expire(accountId, grants[1]!)).toMatchObject({ kind: 'done', moved: 5n })
  })

  test('goes on when the clock of the server goes back: for an account, time only moves forward', async () => {
    const accountId = await ledger.accountWith()
    const grantId = await ledger.give(accountId, 10n, { expiresAt: hours(1) })
    await clock.turnTo(hours(2))
    await ledger.give(accountId, 5n)

    await clock.turnTo(hours(-5))

    expect(await ledger.reserve(accountId, 6n)).toMatchObject({ kind: 'insufficient_credits', available: 5n })
    expect(await expire(accountId, grantId)).toMatchObject({ kind: 'done', moved: 10n })
    const times = (await ledger.entries(accountId)).map(({ createdAt }) => createdAt.getTime())
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(await ledger.faults(accountId)).toEqual([])
  })
})
