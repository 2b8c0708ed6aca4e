import { type AccountId, newAccountId, newGrantId, newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AmendVerdict, Amendment, Change } from './amendments.ts'
import { createLedger } from './ledger.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const kindsOf = (verdicts: readonly AmendVerdict[]) => verdicts.map(({ kind }) => kind)
const tomorrow = new Date(Date.now() + 86_400_000)

describe('a grant', () => {
  test('can be spent at once and stands in the books with who gave it', async () => {
    const accountId = newAccountId()

    const verdict = await ledger.change(accountId, {
      op: 'grant',
      kind: 'promotional',
      amount: 100n,
      expiresAt: tomorrow,
      reason: 'a welcome',
    })

    const grant = (await ledger.grantsOf(accountId, { limit: 1 }))[0]!
    expect(verdict).toMatchObject({ kind: 'done', moved: 100n })
    expect(grant).toMatchObject({
      kind: 'promotional',
      priority: 100,
      amount: 100n,
      balance: 100n,
      expiresAt: tomorrow,
    })
    expect(await ledger.available(accountId)).toBe(100n)
    const { actionId } = verdict as { actionId: string }
    expect(await ledger.entries(accountId)).toMatchObject([
      {
        sequence: 1,
        kind: 'grant',
        amount: 100n,
        grantId: grant.id,
        balanceAfter: 100n,
        actionId,
        reason: 'a welcome',
      },
    ])
  })

  test.each([0n, -5n])('of %s credits is refused and leaves no trace', async (amount) => {
    const accountId = newAccountId()

    await expect(ledger.give(accountId, amount)).rejects.toThrow('violates check constraint')

    expect(await ledger.grantsOf(accountId, { limit: 10 })).toEqual([])
    expect(await ledger.entries(accountId)).toEqual([])
  })

  test('that would have ended already is refused', async () => {
    const verdict = await ledger.change(newAccountId(), {
      op: 'grant',
      kind: 'purchased',
      amount: 1n,
      expiresAt: new Date(0),
    })
    expect(verdict).toEqual({ kind: 'ended' })
  })

  test('too many are refused, until one of them is used up', async () => {
    const accountId = await ledger.accountWith(1n, 5n)
    const { amend } = createLedger(ledger.db, { maxOpenGrants: 2 })
    const give = () => amend([{ op: 'grant', accountId, kind: 'purchased', amount: 5n, actor: 'test' }])

    expect(await give()).toEqual([{ kind: 'too_many_grants', most: 2 }])
    await ledger.settle(accountId, await ledger.reserved(accountId, 1n), 1n)

    expect(await give()).toMatchObject([{ kind: 'done' }])
  })
})

describe('adjusting', () => {
  test('upwards gives a grant', async () => {
    const accountId = await ledger.accountWith(10n)

    const verdict = await ledger.change(accountId, { op: 'adjust', kind: 'promotional', amount: 5n, priority: 1 })

    expect(verdict).toMatchObject({ kind: 'done', moved: 5n })
    expect(await ledger.entries(accountId)).toMatchObject([{}, { kind: 'adjustment', amount: 5n, reason: 'because' }])
    expect(await ledger.grantsOf(accountId, { limit: 1 })).toMatchObject([
      { kind: 'promotional', priority: 1, amount: 5n },
    ])
  })

  test('downwards takes from grants in the order they are drawn, what is free and not one more', async () => {
    const accountId = await ledger.accountWith(['purchased', 10n], ['promotional', 10n])
    await ledger.reserved(accountId, 5n)
    const take = (amount: bigint) => ledger.change(accountId, { op: 'adjust', kind: 'purchased', amount: -amount })

    expect(await take(16n)).toEqual({ kind: 'insufficient_credits', available: 15n })
    expect(await take(15n)).toMatchObject({ kind: 'done', moved: 15n })

    const moved = (await ledger.entries(accountId)).filter(({ kind }) => kind === 'adjustment')
    expect(moved.map(({ amount, balanceAfter }) => [amount, balanceAfter])).toEqual([
      [-10n, 0n],
      [-5n, 5n],
    ])
    expect(await ledger.balanceOf(accountId)).toEqual({ balance: 5n, reserved: 5n, available: 0n })
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test.each(['adjust', 'refund', 'revoke', 'freeze', 'unfreeze'] as const)('to %s takes a reason', async (op) => {
    const accountId = await ledger.accountWith(10n)
    const completionId = await ledger.reserved(accountId, 5n)
    await ledger.settle(accountId, completionId, 5n)
    const [grant] = await ledger.grantsOf(accountId, { limit: 1 })
    const change = { op, kind: 'purchased', amount: 1n, completionId, grantId: grant!.id } as unknown as Change

    const asked = ledger.amend([{ ...change, accountId, actor: 'test' }])

    await expect(asked).rejects.toMatchObject({ constraint: 'action_is_explained' })
  })
})

describe('revoking a grant', () => {
  const revoke = (accountId: AccountId, grantId: Awaited<ReturnType<LedgerFixture['give']>>) =>
    ledger.change(accountId, { op: 'revoke', grantId })

  test('takes what is left of it and enters that', async () => {
    const accountId = await ledger.accountWith(100n)
    const grantId = await ledger.give(accountId, 10n, { priority: 1 })
    await ledger.settle(accountId, await ledger.reserved(accountId, 4n), 4n)

    expect(await revoke(accountId, grantId)).toMatchObject({ kind: 'done', moved: 6n })

    expect((await ledger.entries(accountId)).at(-1)).toMatchObject({ kind: 'revocation', amount: -6n, grantId })
    expect(await ledger.available(accountId)).toBe(100n)
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('spares what open reservations may need, lets nobody else have it, and takes the rest when they have ended', async () => {
    const accountId = await ledger.accountWith()
    const grantId = await ledger.give(accountId, 10n)
    const completionId = await ledger.reserved(accountId, 4n)

    expect(await revoke(accountId, grantId)).toMatchObject({ kind: 'done', moved: 0n })
    expect(await ledger.reserve(accountId, 1n)).toMatchObject({ kind: 'insufficient_credits', available: 0n })
    expect(await ledger.settle(accountId, completionId, 4n)).toMatchObject({ charged: 4n, uncollected: 0n })

    const verdict = await ledger.change(accountId, { op: 'expire', grantId })
    expect(verdict).toMatchObject({ kind: 'done', moved: 6n })
    expect((await ledger.entries(accountId)).at(-1)).toMatchObject({ kind: 'revocation', amount: -6n })
    expect(await ledger.faults(accountId)).toEqual([])
  })

  test('is refused where it has ended, is unknown, or is of somebody else', async () => {
    const [accountId, otherId] = [await ledger.accountWith(10n), await ledger.accountWith(10n)]
    const grantId = (await ledger.grantsOf(accountId, { limit: 1 }))[0]!.id
    await revoke(accountId, grantId)

    const verdicts = [
      await revoke(accountId, grantId),
      await revoke(accountId, newGrantId()),
      await revoke(otherId, grantId),
      await revoke(newAccountId(), grantId),
    ]

    expect(kindsOf(verdicts)).toEqual(['ended', 'not_found', 'not_found', 'not_found'])
  })
})

test('a batch of amendments is decided in order of arrival, each by the books of its own account', async () => {
  const [rich, poor] = [newAccountId(), newAccountId()]
  const by = { actor: 'test', reason: 'because' }
  const amendments: Amendment[] = [
    { op: 'grant', accountId: rich, ...by, kind: 'purchased', amount: 10n },
    { op: 'adjust', accountId: poor, ...by, kind: 'purchased', amount: -1n },
    { op: 'adjust', accountId: rich, ...by, kind: 'purchased', amount: -10n },
    { op: 'grant', accountId: poor, ...by, kind: 'purchased', amount: 1n },
    { op: 'adjust', accountId: rich, ...by, kind: 'purchased', amount: -1n },
    { op: 'refund', accountId: poor, ...by, completionId: newCompletionId() },
    { op: 'freeze', accountId: poor, ...by },
  ]

  const verdicts = await ledger.amend(amendments)

  const refused = 'insufficient_credits'
  expect(kindsOf(verdicts)).toEqual(['done', refused, 'done', 'done', refused, 'not_found', 'done'])
  expect(await ledger.faults(rich, poor)).toEqual([])
})
