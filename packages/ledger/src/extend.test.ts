import { newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Operation, applyCall } from './operations.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('an open reservation is raised to what is needed now', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)

  expect(await ledger.extend(accountId, completionId, 70n)).toEqual({ kind: 'extended', amount: 70n })

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 100n, reserved: 70n, available: 30n })
  expect(await ledger.settle(accountId, completionId, 70n)).toEqual({ kind: 'closed', charged: 70n, uncollected: 0n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a reservation is never lowered, and raising it again to the same changes nothing', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)

  const verdicts = [
    await ledger.extend(accountId, completionId),
    await ledger.extend(accountId, completionId, 10n),
    await ledger.extend(accountId, completionId, 50n),
    await ledger.extend(accountId, completionId, 50n),
  ]

  expect(verdicts).toMatchObject([{ amount: 40n }, { amount: 40n }, { amount: 50n }, { amount: 50n }])
  expect((await ledger.balanceOf(accountId)).reserved).toBe(50n)
})

test('more than there is cannot be set aside, and the reservation stays as it was', async () => {
  const accountId = await ledger.accountWith(100n)
  const [mine] = [await ledger.reserved(accountId, 40n), await ledger.reserved(accountId, 40n)]

  const verdict = await ledger.extend(accountId, mine, 61n)

  expect(verdict).toEqual({ kind: 'insufficient_credits', available: 20n, reserved: 80n })
  expect(await ledger.extend(accountId, mine, 60n)).toEqual({ kind: 'extended', amount: 60n })
})

test('a reservation is not extended by less than was asked, even on an account that clamps', async () => {
  const accountId = await ledger.accountWith(100n)
  await ledger.setShortage(accountId, 'clamp')
  const completionId = await ledger.reserved(accountId, 40n)

  expect(await ledger.extend(accountId, completionId, 101n)).toMatchObject({ kind: 'insufficient_credits' })
})

test('what has ended or never began is not extended', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = await ledger.reserved(accountId, 40n)
  await ledger.release(accountId, completionId)

  expect(await ledger.extend(accountId, completionId, 50n)).toEqual({ kind: 'already_closed' })
  expect(await ledger.extend(accountId, newCompletionId(), 50n)).toEqual({ kind: 'not_found' })
  expect(await ledger.available(accountId)).toBe(100n)
})

test('every extension keeps a reservation for another lease, and none takes time away', async () => {
  const accountId = await ledger.accountWith(100n)
  const completionId = newCompletionId()
  const of = { accountId, completionId }
  /** How long after it was made the reservation is expected to have ended. */
  const applyFor = async (op: Operation, leaseMs: number): Promise<number> => {
    await sql`select from ${applyCall([op], leaseMs)} as applied`.execute(ledger.db)
    const { rows } = await sql<{ created_at: Date; expires_at: Date }>`
      select created_at, expires_at from ledger.reservation where id = ${uuidOf(completionId)}`.execute(ledger.db)
    return rows[0]!.expires_at.getTime() - rows[0]!.created_at.getTime()
  }

  const first = await applyFor({ kind: 'reserve', ...of, quote: 40n }, 60_000)
  const longer = await applyFor({ kind: 'extend', ...of }, 600_000)
  const shorter = await applyFor({ kind: 'extend', ...of, amount: 50n }, 1_000)

  expect(first).toBe(60_000)
  expect(longer).toBeGreaterThanOrEqual(600_000)
  expect(shorter).toBe(longer)
})
