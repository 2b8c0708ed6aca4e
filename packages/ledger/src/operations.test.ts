import { newAccountId, newCompletionId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

describe('reserving', () => {
  test('sets credits aside without spending them', async () => {
    const accountId = await ledger.accountWith(100n)

    expect(await ledger.reserve(accountId, 30n)).toEqual({ kind: 'reserved' })

    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 100n, reserved: 30n, available: 70n })
    expect((await ledger.entries(accountId)).map(({ kind }) => kind)).toEqual(['grant'])
  })

  test('takes the last credit, and not one more', async () => {
    const accountId = await ledger.accountWith(100n)
    await ledger.reserved(accountId, 40n)

    const verdicts = [await ledger.reserve(accountId, 61n), await ledger.reserve(accountId, 60n)]

    const refusal = { kind: 'insufficient_credits', available: 60n, reserved: 40n }
    expect(verdicts).toEqual([refusal, { kind: 'reserved' }])
    expect(await ledger.available(accountId)).toBe(0n)
  })

  test('a refused reservation writes nothing', async () => {
    const accountId = await ledger.accountWith(100n)
    const version = () => sql`select xmin, ctid, * from ledger.account`.execute(ledger.db).then(({ rows }) => rows)
    const before = await version()

    await ledger.reserve(accountId, 101n)

    expect(await version()).toEqual(before)
    expect(await ledger.reservations(accountId)).toEqual([])
  })

  test('the same completion reserves once, however often it asks', async () => {
    const accountId = await ledger.accountWith(100n)
    const completionId = newCompletionId()
    const ask = () => ledger.reserve(accountId, 60n, completionId)

    expect([await ask(), await ask(), await ask()]).toEqual(Array(3).fill({ kind: 'reserved' }))

    expect((await ledger.balanceOf(accountId)).reserved).toBe(60n)
    expect(await ledger.reservations(accountId)).toHaveLength(1)
  })

  test('the same completion asking again after its end opens nothing', async () => {
    const accountId = await ledger.accountWith(100n)
    const completionId = await ledger.reserved(accountId, 60n)
    await ledger.settle(accountId, completionId, 10n)

    expect(await ledger.reserve(accountId, 60n, completionId)).toEqual({ kind: 'reserved' })

    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 90n, reserved: 0n, available: 90n })
  })

  test('the same completion with another amount or account is a conflict and changes nothing', async () => {
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

  test('an account that was never given credits is told so', async () => {
    const verdict = await ledger.reserve(newAccountId(), 1n)
    expect(verdict).toEqual({ kind: 'insufficient_credits', available: 0n, reserved: 0n })
  })
})

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
    expect(memo).toMatchObject({ kind: 'uncollected', amount: 20n, balanceAfter: null, grantId: null })
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

  test('completions of one batch draw on what those before them left', async () => {
    const accountId = await ledger.accountWith(['promotional', 10n], ['purchased', 100n])
    const ids = [await ledger.reserved(accountId, 8n), await ledger.reserved(accountId, 8n)]

    await ledger.apply(...ids.map((completionId) => ({ kind: 'settle', accountId, completionId, cost: 8n }) as const))

    const charges = (await ledger.entries(accountId)).filter(({ kind }) => kind === 'charge')
    expect(charges.map(({ completionId, amount }) => [completionId, amount])).toEqual([
      [ids[0], -8n],
      [ids[1], -2n],
      [ids[1], -6n],
    ])
    expect(await ledger.faults(accountId)).toEqual([])
  })
})

test('releasing returns everything', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)

  const verdict = await ledger.release(accountId, completionId)

  expect(verdict).toEqual({ kind: 'closed', charged: 0n, uncollected: 0n })
  expect(await ledger.available(accountId)).toBe(100n)
  expect(await ledger.reservations(accountId)).toMatchObject([{ state: 'released', captured: 0n }])
})

test('a reservation ends once: whoever ends it again gets the first result', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)
  await ledger.settle(accountId, completionId, 15n)

  const again = [
    await ledger.settle(accountId, completionId, 15n),
    await ledger.settle(accountId, completionId, 39n),
    await ledger.release(accountId, completionId),
  ]

  expect(again).toEqual(Array(3).fill({ kind: 'already_closed', charged: 15n }))
  expect(await ledger.available(accountId)).toBe(85n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('what was released cannot be settled any more', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)
  await ledger.release(accountId, completionId)

  expect(await ledger.settle(accountId, completionId, 40n)).toEqual({ kind: 'already_closed', charged: 0n })
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
  ]

  expect(verdicts).toEqual(Array(4).fill({ kind: 'not_found' }))
  expect([await ledger.available(accountId), await ledger.available(otherId)]).toEqual([60n, 100n])
})

test('a free completion needs no credits and no account in the books', async () => {
  const accountId = newAccountId()
  const completionId = newCompletionId()

  const verdicts = [
    await ledger.reserve(accountId, 0n, completionId),
    await ledger.reserve(accountId, 0n, completionId),
    await ledger.settle(accountId, completionId, 0n),
    await ledger.settle(accountId, completionId, 0n),
  ]

  const closed = { kind: 'closed', charged: 0n, uncollected: 0n }
  const reserved = { kind: 'reserved' }
  expect(verdicts).toEqual([reserved, reserved, closed, { kind: 'already_closed', charged: 0n }])
  expect(await ledger.reservations(accountId)).toMatchObject([{ amount: 0n, state: 'settled' }])
})

test('a free completion runs on an account whose last credit is reserved', async () => {
  const accountId = await ledger.accountWith(10n)
  await ledger.reserved(accountId, 10n)

  expect(await ledger.reserve(accountId, 0n)).toEqual({ kind: 'reserved' })
})

test('an empty batch has no verdicts', async () => {
  expect(await ledger.apply()).toEqual([])
})

test('one batch reserves, settles, releases and refuses for many accounts, each by its own books', async () => {
  const accounts = await Promise.all([100n, 50n, 10n].map((amount) => ledger.accountWith(amount)))
  const [rich, some, poor] = accounts as [(typeof accounts)[0], (typeof accounts)[0], (typeof accounts)[0]]
  const open = { rich: await ledger.reserved(rich, 20n), some: await ledger.reserved(some, 20n) }
  const ops: Operation[] = [
    { kind: 'reserve', accountId: rich, completionId: newCompletionId(), amount: 80n },
    { kind: 'settle', accountId: rich, completionId: open.rich, cost: 5n },
    { kind: 'reserve', accountId: newAccountId(), completionId: newCompletionId(), amount: 1n },
    { kind: 'release', accountId: some, completionId: open.some },
    { kind: 'reserve', accountId: some, completionId: newCompletionId(), amount: 50n },
    { kind: 'reserve', accountId: poor, completionId: newCompletionId(), amount: 11n },
  ]

  const verdicts = await ledger.apply(...inOrderOfAccounts(ops))

  const kinds = new Map(inOrderOfAccounts(ops).map((op, i) => [op, verdicts[i]!.kind]))
  const refused = 'insufficient_credits'
  expect(ops.map((op) => kinds.get(op))).toEqual(['reserved', 'closed', refused, 'closed', 'reserved', refused])
  expect(await Promise.all(accounts.map(ledger.available))).toEqual([15n, 0n, 10n])
  expect(await ledger.faults(...accounts)).toEqual([])
})

function inOrderOfAccounts(ops: Operation[]): Operation[] {
  return ops.toSorted((a, b) => (a.accountId < b.accountId ? -1 : a.accountId > b.accountId ? 1 : 0))
}
