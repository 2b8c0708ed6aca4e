import { newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

describe('settling', () => {
  test.each([
    ['below', 25n, { charged: 25n, uncollected: 0n }, 75n],
    ['at', 40n, { charged: 40n, uncollected: 0n }, 60n],
    ['above', 70n, { charged: 70n, uncollected: 0n }, 30n],
    ['above, past what is there', 130n, { charged: 100n, uncollected: 30n }, 0n],
  ])('%s the reservation pays what was used and returns the rest', async (_, cost, paid, left) => {
    const accountId = await ledger.accountWith(100n)
    const completionId = await ledger.reserved(accountId, 40n)

    expect(await ledger.settle(accountId, completionId, cost)).toEqual({ kind: 'closed', ...paid })

    expect(await ledger.balanceOf(accountId)).toEqual({ balance: left, reserved: 0n, available: left })
    expect(await ledger.reservations(accountId)).toMatchObject([{ state: 'settled', captured: paid.charged }])
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('above its reservation leaves what others have reserved, and books what it could not collect', async () => {
    const accountId = await ledger.accountWith(100n)
    const [mine] = [await ledger.reserved(accountId, 10n), await ledger.reserved(accountId, 70n)]

    const verdict = await ledger.settle(accountId, mine, 50n)

    expect(verdict).toEqual({ kind: 'closed', charged: 30n, uncollected: 20n })
    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 70n, reserved: 70n, available: 0n })
    const [, charge, memo] = await ledger.entries(accountId)
    expect(charge).toMatchObject({ kind: 'charge', amount: -30n, balanceAfter: 70n, completionId: mine })
    expect(memo).toMatchObject({ kind: 'uncollected', amount: -20n, balanceAfter: null, grantId: null })
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('for nothing closes the reservation and enters nothing', async () => {
    const accountId = await ledger.accountWith(100n)
    const completionId = await ledger.reserved(accountId, 40n)

    const verdict = await ledger.settle(accountId, completionId, 0n)

    expect(verdict).toEqual({ kind: 'closed', charged: 0n, uncollected: 0n })
    expect(await ledger.available(accountId)).toBe(100n)
    expect(await ledger.entries(accountId)).toHaveLength(1)
  })

  test('draws promotional, then subscription, then purchased credits, the oldest of a kind first', async () => {
    const accountId = await ledger.accountWith(
      ['purchased', 10n],
      ['subscription', 10n],
      ['promotional', 10n],
      ['subscription', 20n],
    )
    const completionId = await ledger.reserved(accountId, 45n)

    await ledger.settle(accountId, completionId, 45n)

    const grants = await ledger.grantsOf(accountId, { limit: 10 })
    const nameOf = new Map(grants.map(({ id, kind, amount }) => [id, `${kind} ${amount}`]))
    const charges = (await ledger.entries(accountId)).filter(({ kind }) => kind === 'charge')
    expect(charges.map(({ grantId, amount }) => [nameOf.get(grantId!), amount])).toEqual([
      ['promotional 10', -10n],
      ['subscription 10', -10n],
      ['subscription 20', -20n],
      ['purchased 10', -5n],
    ])
    expect(await ledger.faults(accountId)).toEqual([])
  })
})

test.each([
  ['releasing', 'released'],
  ['expiring', 'expired'],
])('%s returns everything', async (how, state) => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)

  const verdict = await (how === 'releasing' ? ledger.release : ledger.expire)(accountId, completionId)

  expect(verdict).toEqual({ kind: 'closed', charged: 0n, uncollected: 0n })
  expect(await ledger.available(accountId)).toBe(100n)
  expect(await ledger.reservations(accountId)).toMatchObject([{ state, captured: 0n }])
})

test('a reservation ends once: whoever ends it again gets the first result', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)
  await ledger.settle(accountId, completionId, 15n)

  const again = [
    await ledger.settle(accountId, completionId, 15n),
    await ledger.settle(accountId, completionId, 39n),
    await ledger.release(accountId, completionId),
    await ledger.expire(accountId, completionId),
  ]

  expect(again).toEqual(Array(4).fill({ kind: 'already_closed', charged: 15n, uncollected: 0n }))
  expect(await ledger.available(accountId)).toBe(85n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('whoever asks again is told what could not be collected, too', async () => {
  const accountId = await ledger.accountWith(10n)
  const completionId = await ledger.reserved(accountId, 5n)
  await ledger.settle(accountId, completionId, 12n)

  const again = await ledger.settle(accountId, completionId, 12n)

  expect(again).toEqual({ kind: 'already_closed', charged: 10n, uncollected: 2n })
})

test('what was released cannot be settled any more', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)
  await ledger.release(accountId, completionId)

  expect(await ledger.settle(accountId, completionId, 40n)).toEqual({
    kind: 'already_closed',
    charged: 0n,
    uncollected: 0n,
  })
  expect(await ledger.available(accountId)).toBe(100n)
})

test('a completion that reserved nothing, or for another account, is not found', async () => {
  const [accountId, otherId] = [await ledger.accountWith(100n), await ledger.accountWith(100n)]
  const completionId = await ledger.reserved(accountId, 40n)

  const verdicts = [
    await ledger.settle(accountId, newCompletionId(), 1n),
    await ledger.release(accountId, newCompletionId()),
    await ledger.settle(otherId, completionId, 40n),
    await ledger.release(otherId, completionId),
    await ledger.expire(otherId, completionId),
    await ledger.extend(otherId, completionId, 50n),
  ]

  expect(verdicts).toEqual(Array(6).fill({ kind: 'not_found' }))
  expect([await ledger.available(accountId), await ledger.available(otherId)]).toEqual([60n, 100n])
})
