import { newAccountId, newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import { inOrderOfAccounts } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('an empty batch has no verdicts', async () => {
  expect(await ledger.apply()).toEqual([])
})

test('one batch reserves, settles, releases and refuses for many accounts, each by its own books', async () => {
  const accounts = await Promise.all([100n, 50n, 10n].map((amount) => ledger.accountWith(amount)))
  const [rich, some, poor] = accounts as [(typeof accounts)[0], (typeof accounts)[0], (typeof accounts)[0]]
  const open = { rich: await ledger.reserved(rich, 20n), some: await ledger.reserved(some, 20n) }
  const ops: Operation[] = [
    { kind: 'reserve', accountId: rich, completionId: newCompletionId(), quote: 80n },
    { kind: 'settle', accountId: rich, completionId: open.rich, cost: 5n },
    { kind: 'reserve', accountId: newAccountId(), completionId: newCompletionId(), quote: 1n },
    { kind: 'release', accountId: some, completionId: open.some },
    { kind: 'reserve', accountId: some, completionId: newCompletionId(), quote: 50n },
    { kind: 'reserve', accountId: poor, completionId: newCompletionId(), quote: 11n },
  ]

  const verdicts = await ledger.apply(...inOrderOfAccounts(ops))

  const kinds = new Map(inOrderOfAccounts(ops).map((op, i) => [op, verdicts[i]!.kind]))
  const refused = 'insufficient_credits'
  expect(ops.map((op) => kinds.get(op))).toEqual(['reserved', 'closed', refused, 'closed', 'reserved', refused])
  expect(await Promise.all(accounts.map(ledger.available))).toEqual([15n, 0n, 10n])
  expect(await ledger.faults(...accounts)).toEqual([])
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

test('within a batch the first to come is the first to be served', async () => {
  const accountId = await ledger.accountWith(10n)
  const ask = (quote: bigint): Operation => ({ kind: 'reserve', accountId, completionId: newCompletionId(), quote })
  const open = await ledger.reserved(accountId, 4n)

  const verdicts = await ledger.apply(
    ask(5n),
    ask(2n),
    { kind: 'release', accountId, completionId: open },
    ask(5n),
    ask(1n),
  )

  const kinds = verdicts.map(({ kind }) => kind)
  expect(kinds).toEqual(['reserved', 'insufficient_credits', 'closed', 'reserved', 'insufficient_credits'])
})

test('a batch that would end or extend a reservation twice is refused whole', async () => {
  const accountId = await ledger.accountWith(['promotional', 10n], ['purchased', 100n])
  const completionId = await ledger.reserved(accountId, 10n)
  await ledger.reserved(accountId, 50n)
  const settle = { kind: 'settle', accountId, completionId, cost: 10n } as const
  const extend = { kind: 'extend', accountId, completionId, amount: 20n } as const

  await expect(ledger.apply(settle, settle)).rejects.toThrow('ends a reservation twice')
  await expect(ledger.apply(extend, extend)).rejects.toThrow('extends a reservation twice')

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 110n, reserved: 60n, available: 50n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a batch whose accounts are out of order is refused whole', async () => {
  const accounts = [await ledger.accountWith(100n), await ledger.accountWith(100n)]
  const ops = accounts.map((accountId) => {
    return { kind: 'reserve', accountId, completionId: newCompletionId(), quote: 10n } as const
  })

  await expect(ledger.apply(...ops.toReversed())).rejects.toThrow('not sorted by account')

  expect(await Promise.all(accounts.map(ledger.available))).toEqual([100n, 100n])
})
