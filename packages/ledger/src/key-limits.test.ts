import { type AccountId, type KeyId, newCompletionId, newKeyId } from '@weir/contracts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestClock, takeClock } from './testing/clock.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

/** A minute before the end of a day and of a month, in UTC. */
const EVENING = new Date('2031-01-31T23:59:00Z')
const NEXT_DAY = new Date('2031-02-01T00:00:00Z')
const A_DAY_LATER = new Date('2031-02-02T00:00:00Z')

let ledger: LedgerFixture
let clock: TestClock
beforeAll(async () => {
  ledger = await openLedgerFixture()
  clock = await takeClock(ledger.db, EVENING)
})
beforeEach(() => clock.turnTo(EVENING))
afterAll(() => ledger[Symbol.asyncDispose]())

async function reservedWith(accountId: AccountId, keyId: KeyId, quote: bigint) {
  const completionId = newCompletionId()
  expect(await ledger.reserve(accountId, quote, completionId, { keyId })).toMatchObject({ kind: 'reserved' })
  return completionId
}
const ask = (accountId: AccountId, keyId: KeyId | undefined, quote: bigint, least?: bigint) =>
  ledger.reserve(accountId, quote, newCompletionId(), { keyId, least })

async function limitedAccount(...limits: ['day' | 'month' | 'total', bigint][]) {
  const [accountId, keyId] = [await ledger.accountWith(1_000n), newKeyId()]
  for (const [period, amount] of limits) await ledger.setKeyLimit(accountId, keyId, period, amount)
  return { accountId, keyId }
}

test('what a key has reserved and spent counts against its limit, and what it gave back does not', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 10n])
  await ledger.settle(accountId, await reservedWith(accountId, keyId, 6n), 4n)
  await reservedWith(accountId, keyId, 3n)
  await ledger.release(accountId, await reservedWith(accountId, keyId, 3n))

  expect(await ask(accountId, keyId, 4n)).toEqual({ kind: 'key_limit_exceeded', period: 'day', available: 3n })
  expect(await ledger.keyLimitsOf(accountId, keyId)).toEqual([{ period: 'day', amount: 10n, spent: 4n, reserved: 3n }])
  expect(await ask(accountId, keyId, 3n)).toEqual({ kind: 'reserved', amount: 3n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a limit is of one key of one account', async () => {
  const { accountId, keyId } = await limitedAccount(['total', 0n])
  const otherId = await ledger.accountWith(10n)

  const verdicts = [
    await ask(accountId, newKeyId(), 5n),
    await ask(accountId, undefined, 5n),
    await ask(otherId, keyId, 5n),
    await ask(accountId, keyId, 5n),
  ]

  expect(verdicts.map(({ kind }) => kind)).toEqual(['reserved', 'reserved', 'reserved', 'key_limit_exceeded'])
})

test('the tightest of several limits decides and is named', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 50n], ['month', 10n], ['total', 30n])

  expect(await ask(accountId, keyId, 11n)).toEqual({ kind: 'key_limit_exceeded', period: 'month', available: 10n })
  await ledger.settle(accountId, await reservedWith(accountId, keyId, 10n), 10n)

  expect(await ledger.keyLimitsOf(accountId, keyId)).toEqual([
    { period: 'day', amount: 50n, spent: 10n, reserved: 0n },
    { period: 'month', amount: 10n, spent: 10n, reserved: 0n },
    { period: 'total', amount: 30n, spent: 10n, reserved: 0n },
  ])
})

test.each([
  ['day', NEXT_DAY],
  ['month', NEXT_DAY],
] as const)('a new %s begins with the whole limit, at midnight in UTC', async (period, next) => {
  const { accountId, keyId } = await limitedAccount([period, 10n])
  await reservedWith(accountId, keyId, 10n)

  await clock.turnTo(new Date(next.getTime() - 1))
  expect(await ask(accountId, keyId, 1n)).toMatchObject({ kind: 'key_limit_exceeded', period })
  await clock.turnTo(next)

  expect(await ask(accountId, keyId, 10n)).toMatchObject({ kind: 'reserved' })
})

test('a new day is not a new month, and no day makes up for a total', async () => {
  const { accountId, keyId } = await limitedAccount(['month', 10n])
  const total = await limitedAccount(['total', 10n])
  await clock.turnTo(NEXT_DAY)
  await reservedWith(accountId, keyId, 10n)
  await reservedWith(total.accountId, total.keyId, 10n)

  await clock.turnTo(A_DAY_LATER)

  expect(await ask(accountId, keyId, 1n)).toMatchObject({ period: 'month' })
  expect(await ask(total.accountId, total.keyId, 1n)).toMatchObject({ period: 'total' })
})

test('a completion counts in the period it was reserved in, whenever it ends', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 10n], ['month', 15n])
  const completionId = await reservedWith(accountId, keyId, 10n)
  await clock.turnTo(NEXT_DAY)
  await reservedWith(accountId, keyId, 10n)

  await ledger.settle(accountId, completionId, 7n)

  expect(await ledger.keyLimitsOf(accountId, keyId)).toMatchObject([
    { period: 'day', spent: 0n, reserved: 10n },
    { period: 'month', spent: 0n, reserved: 10n },
  ])
  await clock.turnTo(EVENING)
  expect(await ledger.keyLimitsOf(accountId, keyId)).toMatchObject([{ spent: 7n, reserved: 0n }, { spent: 7n }])
  expect(await ledger.faults(accountId)).toEqual([])
})

test('on an account that clamps, a completion gets what its key may still spend', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 10n])
  await ledger.setShortage(accountId, 'clamp')
  await reservedWith(accountId, keyId, 4n)

  expect(await ask(accountId, keyId, 20n, 7n)).toEqual({ kind: 'key_limit_exceeded', period: 'day', available: 6n })
  expect(await ask(accountId, keyId, 20n, 6n)).toEqual({ kind: 'reserved', amount: 6n })
})

test('an extension counts against the limits its reservation was made under', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 10n])
  const completionId = await reservedWith(accountId, keyId, 4n)
  await clock.turnTo(NEXT_DAY)

  const verdicts = [
    await ledger.extend(accountId, completionId, 11n),
    await ledger.extend(accountId, completionId, 10n),
  ]

  const refusal = { kind: 'key_limit_exceeded', period: 'day', available: 6n }
  expect(verdicts).toEqual([refusal, { kind: 'extended', amount: 10n }])
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a completion that costs more than it reserved draws what its key may still spend, and not a microcredit more', async () => {
  const { accountId, keyId } = await limitedAccount(['day', 12n], ['total', 20n])
  const running = await reservedWith(accountId, keyId, 3n)

  const verdict = await ledger.settle(accountId, await reservedWith(accountId, keyId, 6n), 25n)

  expect(verdict).toEqual({ kind: 'closed', charged: 9n, uncollected: 16n })
  expect(await ledger.keyLimitsOf(accountId, keyId)).toMatchObject([{ spent: 9n, reserved: 3n }, { spent: 9n }])
  expect(await ask(accountId, keyId, 1n)).toEqual({ kind: 'key_limit_exceeded', period: 'day', available: 0n })
  expect(await ledger.settle(accountId, running, 4n)).toEqual({ kind: 'closed', charged: 3n, uncollected: 1n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a limit that was lowered below what is spent stops the excess, not what is reserved', async () => {
  const { accountId, keyId } = await limitedAccount(['total', 20n])
  const running = await reservedWith(accountId, keyId, 6n)
  await ledger.setKeyLimit(accountId, keyId, 'total', 2n)

  expect(await ledger.settle(accountId, running, 10n)).toEqual({ kind: 'closed', charged: 6n, uncollected: 4n })
})

test('a limit that is taken away and set again goes on where it was, without what was reserved in between', async () => {
  const { accountId, keyId } = await limitedAccount(['total', 10n])
  await ledger.settle(accountId, await reservedWith(accountId, keyId, 4n), 4n)
  await ledger.setKeyLimit(accountId, keyId, 'total', null)
  await ledger.settle(accountId, await reservedWith(accountId, keyId, 50n), 50n)

  await ledger.setKeyLimit(accountId, keyId, 'total', 10n)

  expect(await ledger.keyLimitsOf(accountId, keyId)).toMatchObject([{ spent: 4n }])
  expect(await ask(accountId, keyId, 7n)).toMatchObject({ kind: 'key_limit_exceeded', available: 6n })
})

test('what is given back to an account does not come back to the limit of its key', async () => {
  const { accountId, keyId } = await limitedAccount(['total', 10n])
  const completionId = await reservedWith(accountId, keyId, 10n)
  await ledger.settle(accountId, completionId, 10n)

  await ledger.change(accountId, { op: 'refund', completionId })

  expect(await ledger.keyLimitsOf(accountId, keyId)).toMatchObject([{ spent: 10n }])
})

test('a limit counts what is reserved from when it was set, can be changed, and can be taken away', async () => {
  const { accountId, keyId } = await limitedAccount()
  await reservedWith(accountId, keyId, 50n)
  await ledger.setKeyLimit(accountId, keyId, 'total', 10n)
  const open = await reservedWith(accountId, keyId, 8n)

  await ledger.setKeyLimit(accountId, keyId, 'total', 9n)
  expect(await ask(accountId, keyId, 2n)).toMatchObject({ kind: 'key_limit_exceeded', available: 1n })
  await ledger.setKeyLimit(accountId, keyId, 'total', null)

  expect(await ledger.keyLimitsOf(accountId, keyId)).toEqual([])
  expect(await ask(accountId, keyId, 100n)).toMatchObject({ kind: 'reserved' })
  expect(await ledger.extend(accountId, open, 100n)).toEqual({ kind: 'extended', amount: 100n })
  await ledger.settle(accountId, open, 100n)
  expect(await ledger.faults(accountId)).toEqual([])
})
