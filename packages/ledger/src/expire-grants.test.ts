import { newAccountId, newActionId, newGrantId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expireGrants } from './expire-grants.ts'
import { takeClock } from './testing/clock.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

const NOON = Date.UTC(2031, 0, 15, 12)
const hours = (count: number) => new Date(NOON + count * 3_600_000)

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

test('what is left of ended grants is taken, past those that must wait, and those when they may', async () => {
  const clock = await takeClock(ledger.db, hours(0))
  const [reserved, free] = [newAccountId(), newAccountId()]
  await ledger.give(reserved, 10n, { expiresAt: hours(1) })
  const completionId = await ledger.reserved(reserved, 4n)
  // More than one page of them, and some that have not ended.
  const grants = Array.from({ length: 60 }, (_, i) => ({ expiresAt: hours(i < 50 ? 2 : 9) }))
  const accounts = Array.from({ length: 12 }, newAccountId)
  await ledger.amend(
    accounts.flatMap((accountId) =>
      grants.map((grant) => {
        return { op: 'grant', accountId, actor: 'test', kind: 'promotional', amount: 1n, ...grant } as const
      }),
    ),
  )
  await ledger.give(free, 10n)
  await clock.turnTo(hours(3))

  expect(await expireGrants(ledger)).toEqual({ expired: 600, waiting: 1 })
  expect(await expireGrants(ledger)).toEqual({ expired: 0, waiting: 1 })
  await ledger.settle(reserved, completionId, 4n)
  expect(await expireGrants(ledger)).toEqual({ expired: 1, waiting: 0 })

  expect(await Promise.all(accounts.map(ledger.available))).toEqual(Array(12).fill(10n))
  expect(await ledger.available(free)).toBe(10n)
  expect(await ledger.endedGrants(10)).toEqual([])
  expect(await ledger.faults(reserved, free, ...accounts)).toEqual([])
})

test('it stops between two pages when it is told to', async () => {
  let pages = 0
  const stop = new AbortController()
  const page = Array.from({ length: 500 }, () => ({ accountId: newAccountId(), grantId: newGrantId() }))
  const endless = {
    endedGrants: async () => page,
    amend: async () => {
      pages += 1
      stop.abort()
      return page.map(() => ({ kind: 'done', actionId: newActionId(), moved: 1n }) as const)
    },
  }

  await expireGrants(endless, stop.signal)

  expect(pages).toBe(1)
})
