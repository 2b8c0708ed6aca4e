import { newAccountId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AmendVerdict, Change } from './amendments.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const kindsOf = (verdicts: readonly AmendVerdict[]) => verdicts.map(({ kind }) => kind)
const tomorrow = new Date(Date.now() + 86_400_000)

const grant = { op: 'grant', kind: 'purchased', amount: 100n, priority: 3, expiresAt: tomorrow } as const

test('the same reference gives once, however often and whatever was spent since', async () => {
  const accountId = newAccountId()
  const give = () => ledger.change(accountId, { ...grant, reference: 'invoice 7' })
  const first = await give()
  await ledger.settle(accountId, await ledger.reserved(accountId, 60n), 60n)

  expect(await give()).toEqual({ ...first, kind: 'repeated' })
  expect(await ledger.available(accountId)).toBe(40n)
})

test.each<[string, Change]>([
  ['amount', { ...grant, amount: 99n }],
  ['kind', { ...grant, kind: 'promotional' }],
  ['priority', { ...grant, priority: 4 }],
  ['expiry', { ...grant, expiresAt: undefined }],
  ['operation', { ...grant, op: 'adjust' }],
  ['operation, a small one,', { op: 'freeze' }],
])('the same reference with another %s is a conflict and changes nothing', async (_, other) => {
  const accountId = newAccountId()
  await ledger.change(accountId, { ...grant, reference: 'invoice 7' })

  const verdict = await ledger.change(accountId, { ...other, reference: 'invoice 7' })

  expect(verdict).toEqual({ kind: 'conflict' })
  expect(await ledger.available(accountId)).toBe(100n)
  expect((await ledger.statusOf(accountId)).frozen).toBe(false)
})

test('the same reference with another reason is a conflict', async () => {
  const accountId = await ledger.accountWith(10n)
  const take = (reason: string) =>
    ledger.change(accountId, { op: 'adjust', kind: 'purchased', amount: -2n, reason, reference: 'ticket 9' })

  expect(kindsOf([await take('Twice.'), await take('Twice.'), await take('Once.')])).toEqual([
    'done',
    'repeated',
    'conflict',
  ])
})

test('no reference of an operator stands in the way of a grant that expires', async () => {
  const accountId = await ledger.accountWith(10n)
  const running = await ledger.reserved(accountId, 1n)
  const grantId = (await ledger.grantsOf(accountId, { limit: 1 }))[0]!.id
  await ledger.change(accountId, { ...grant, reference: `expire:${grantId}` })
  await ledger.change(accountId, { op: 'revoke', grantId })
  await ledger.release(accountId, running)

  const expire = () => ledger.amend([{ op: 'expire', accountId, grantId, actor: 'maintenance' }])

  expect(await expire()).toMatchObject([{ kind: 'done', moved: 10n }])
  expect(await expire()).toMatchObject([{ kind: 'repeated', moved: 10n }])
  expect(await ledger.change(accountId, { ...grant, reference: `expire:${grantId}` })).toMatchObject({
    kind: 'repeated',
  })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a reference is of one account', async () => {
  const accounts = [newAccountId(), newAccountId()]

  const verdicts = await ledger.amend(
    accounts.map((accountId) => ({ ...grant, accountId, actor: 'test', reference: 'invoice 7' })),
  )

  expect(kindsOf(verdicts)).toEqual(['done', 'done'])
})

test('the same reference revokes, adjusts and refunds once, and is a conflict for another grant, amount or completion', async () => {
  const accountId = await ledger.accountWith(10n, 10n, 10n)
  const [a, b] = (await ledger.grantsOf(accountId, { limit: 2 })).map(({ id }) => id)
  const [x, y] = [await ledger.reserved(accountId, 3n), await ledger.reserved(accountId, 3n)]
  for (const completionId of [x, y]) await ledger.settle(accountId, completionId, 3n)
  const pairs: [Change, Change][] = [
    [
      { op: 'revoke', grantId: a! },
      { op: 'revoke', grantId: b! },
    ],
    [
      { op: 'adjust', kind: 'purchased', amount: -2n },
      { op: 'adjust', kind: 'purchased', amount: -3n },
    ],
    [
      { op: 'refund', completionId: x },
      { op: 'refund', completionId: y },
    ],
    [
      { op: 'refund', completionId: y, amount: 1n },
      { op: 'refund', completionId: y },
    ],
  ]

  for (const [i, [change, other]] of pairs.entries()) {
    const ask = (what: Change) => ledger.change(accountId, { ...what, reference: `ticket ${i}` })
    expect(kindsOf([await ask(change), await ask(change), await ask(other)])).toEqual(['done', 'repeated', 'conflict'])
  }
  expect(await ledger.faults(accountId)).toEqual([])
})

test('the same reference for the expiry of another grant is a conflict', async () => {
  const accountId = await ledger.accountWith(10n, 10n)
  await ledger.reserved(accountId, 1n)
  const [a, b] = (await ledger.grantsOf(accountId, { limit: 2 })).map(({ id }) => id)
  for (const grantId of [a!, b!]) await ledger.change(accountId, { op: 'revoke', grantId })
  const [open] = await ledger.reservations(accountId)
  await ledger.release(accountId, open!.id)
  const expire = (grantId: typeof a) =>
    ledger.change(accountId, { op: 'expire', grantId: grantId!, reference: 'sweep' })

  expect(kindsOf([await expire(a), await expire(a), await expire(b)])).toEqual(['done', 'repeated', 'conflict'])
  expect((await ledger.endedGrants(10)).map(({ grantId }) => grantId)).toContain(b)
})

test('without a reference, every call is another amendment', async () => {
  const accountId = newAccountId()
  await ledger.change(accountId, grant)
  await ledger.change(accountId, grant)
  expect(await ledger.available(accountId)).toBe(200n)
})
