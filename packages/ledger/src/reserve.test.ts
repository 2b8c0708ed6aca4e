import { newAccountId, newCompletionId, newKeyId, newPriceId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('a reservation sets credits aside without spending them', async () => {
  const accountId = await ledger.accountWith(100n)

  expect(await ledger.reserve(accountId, 30n)).toEqual({ kind: 'reserved', amount: 30n })

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 100n, reserved: 30n, available: 70n })
  expect((await ledger.entries(accountId)).map(({ kind }) => kind)).toEqual(['grant'])
})

test('a reservation takes the last credit, and not one more', async () => {
  const accountId = await ledger.accountWith(100n)
  await ledger.reserved(accountId, 40n)

  const verdicts = [await ledger.reserve(accountId, 61n), await ledger.reserve(accountId, 60n)]

  const refusal = { kind: 'insufficient_credits', available: 60n, reserved: 40n }
  expect(verdicts).toEqual([refusal, { kind: 'reserved', amount: 60n }])
  expect(await ledger.available(accountId)).toBe(0n)
})

test('an account that was never given credits is told so', async () => {
  const verdict = await ledger.reserve(newAccountId(), 1n)
  expect(verdict).toEqual({ kind: 'insufficient_credits', available: 0n, reserved: 0n })
})

test('whatever a reservation is refused for, nothing is written', async () => {
  const [poor, frozen, limited] = [
    await ledger.accountWith(10n),
    await ledger.accountWith(10n),
    await ledger.accountWith(10n),
  ]
  const keyId = newKeyId()
  await ledger.setKeyLimit(limited, keyId, 'day', 4n)
  const existing = await ledger.reserved(poor, 2n)
  await ledger.change(frozen, { op: 'freeze' })
  const rows = () =>
    sql`select xmin::text, ctid::text, id from ledger.account union all
      select xmin::text, ctid::text, id from ledger.reservation union all
      select xmin::text, ctid::text, key_id from ledger.key_spend order by 3`.execute(ledger.db)
  const before = await rows()

  const verdicts = [
    await ledger.reserve(poor, 11n),
    await ledger.reserve(frozen, 1n),
    await ledger.reserve(limited, 5n, newCompletionId(), { keyId }),
    await ledger.reserve(poor, 3n, existing),
  ]

  const kinds = ['insufficient_credits', 'account_frozen', 'key_limit_exceeded', 'conflict']
  expect(verdicts.map(({ kind }) => kind)).toEqual(kinds)
  expect(await rows()).toEqual(before)
})

test('the same completion reserves once, however often it asks', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = newCompletionId()
  const ask = () => ledger.reserve(accountId, 60n, completionId)

  expect([await ask(), await ask(), await ask()]).toEqual(Array(3).fill({ kind: 'reserved', amount: 60n }))

  expect((await ledger.balanceOf(accountId)).reserved).toBe(60n)
  expect(await ledger.reservations(accountId)).toHaveLength(1)
})

test('the same completion asking again after its end opens nothing', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 60n)
  await ledger.settle(accountId, completionId, 10n)

  expect(await ledger.reserve(accountId, 60n, completionId)).toEqual({ kind: 'reserved', amount: 60n })

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 90n, reserved: 0n, available: 90n })
})

test('the same completion with another quote or account is a conflict and changes nothing', async () => {
  const [accountId, otherId] = [await ledger.accountWith(100n), await ledger.accountWith(100n)]
  const completionId = await ledger.reserved(accountId, 60n)

  const verdicts = [
    await ledger.reserve(accountId, 59n, completionId),
    await ledger.reserve(otherId, 60n, completionId),
  ]

  expect(verdicts).toEqual([{ kind: 'conflict' }, { kind: 'conflict' }])
  expect([await ledger.available(accountId), await ledger.available(otherId)]).toEqual([40n, 100n])
  expect(await ledger.faults(accountId, otherId)).toEqual([])
})

test('a reservation remembers its quote, its key, its price and what became of it', async () => {
  const accountId = await ledger.accountWith(100n)
  const [id, keyId, priceId] = [newCompletionId(), newKeyId(), newPriceId()]
  await ledger.reserve(accountId, 60n, id, { keyId, priceId })
  const before = await ledger.reservationOf(id)
  await ledger.settle(accountId, id, 10n)

  const of = { id, accountId, keyId, priceId, quote: 60n, amount: 60n }
  expect(before).toMatchObject({ ...of, state: 'open', cost: null, charged: 0n, closedAt: null })
  expect(await ledger.reservationOf(id)).toMatchObject({ ...of, state: 'settled', cost: 10n, charged: 10n })
})

test.each([
  ['all of its quote while that is there', 8n, 2n, { kind: 'reserved', amount: 8n }],
  ['what is there when that is enough', 50n, 2n, { kind: 'reserved', amount: 10n }],
  ['the last credit', 50n, 10n, { kind: 'reserved', amount: 10n }],
  ['nothing when even the least is too much', 50n, 11n, { kind: 'insufficient_credits', available: 10n, reserved: 0n }],
  [
    'nothing when nobody said what is enough',
    50n,
    undefined,
    { kind: 'insufficient_credits', available: 10n, reserved: 0n },
  ],
])('on an account that clamps, a completion gets %s', async (_, quote, least, verdict) => {
  const accountId = await ledger.accountWith(10n)
  await ledger.setShortage(accountId, 'clamp')

  expect(await ledger.reserve(accountId, quote, newCompletionId(), { least })).toEqual(verdict)
})

test('on an account that refuses, the least that would do does not help', async () => {
  const accountId = await ledger.accountWith(10n)

  const verdict = await ledger.reserve(accountId, 50n, newCompletionId(), { least: 2n })

  expect(verdict).toMatchObject({ kind: 'insufficient_credits', available: 10n })
})

test('a clamped completion that asks again is told the same amount, whatever there is by then', async () => {
  const accountId = await ledger.accountWith(10n)
  await ledger.setShortage(accountId, 'clamp')
  const completionId = newCompletionId()
  await ledger.reserve(accountId, 50n, completionId, { least: 1n })
  await ledger.give(accountId, 100n)
  await ledger.setShortage(accountId, 'refuse')

  expect(await ledger.reserve(accountId, 50n, completionId)).toEqual({ kind: 'reserved', amount: 10n })
})

test('a frozen account reserves nothing new, and what is open goes on to its end', async () => {
  const accountId = await ledger.accountWith(100n)
  const open = await ledger.reserved(accountId, 40n)
  await ledger.change(accountId, { op: 'freeze' })

  expect(await ledger.statusOf(accountId)).toEqual({ frozen: true, shortage: 'refuse' })
  expect(await ledger.reserve(accountId, 1n)).toEqual({ kind: 'account_frozen' })
  expect(await ledger.reserve(accountId, 0n)).toEqual({ kind: 'account_frozen' })
  expect(await ledger.reserve(accountId, 40n, open)).toEqual({ kind: 'reserved', amount: 40n })
  expect(await ledger.extend(accountId, open, 41n)).toEqual({ kind: 'account_frozen' })
  expect(await ledger.extend(accountId, open)).toEqual({ kind: 'extended', amount: 40n })
  expect(await ledger.settle(accountId, open, 30n)).toEqual({ kind: 'closed', charged: 30n, uncollected: 0n })

  await ledger.change(accountId, { op: 'unfreeze' })
  expect(await ledger.reserve(accountId, 70n)).toEqual({ kind: 'reserved', amount: 70n })
})

test('a free completion needs no credits and no account that was there before', async () => {
  const accountId = newAccountId()
  const completionId = newCompletionId()

  const verdicts = [
    await ledger.reserve(accountId, 0n, completionId),
    await ledger.reserve(accountId, 0n, completionId),
    await ledger.settle(accountId, completionId, 0n),
    await ledger.settle(accountId, completionId, 0n),
  ]

  const paid = { charged: 0n, uncollected: 0n }
  const reserved = { kind: 'reserved', amount: 0n }
  expect(verdicts).toEqual([reserved, reserved, { kind: 'closed', ...paid }, { kind: 'already_closed', ...paid }])
  expect(await ledger.reservations(accountId)).toMatchObject([{ amount: 0n, state: 'settled' }])
})

test('a free completion that costs something after all is in the books of an account that had none', async () => {
  const accountId = newAccountId()
  const completionId = newCompletionId()
  await ledger.reserve(accountId, 0n, completionId)

  const verdict = await ledger.settle(accountId, completionId, 5n)

  expect(verdict).toEqual({ kind: 'closed', charged: 0n, uncollected: 5n })
  expect(await ledger.entries(accountId)).toMatchObject([{ kind: 'uncollected', amount: -5n, completionId }])
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a free completion runs on an account whose last credit is reserved', async () => {
  const accountId = await ledger.accountWith(10n)
  await ledger.reserved(accountId, 10n)

  expect(await ledger.reserve(accountId, 0n)).toEqual({ kind: 'reserved', amount: 0n })
})
