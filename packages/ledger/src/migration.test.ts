import {
  type AccountId,
  type CompletionId,
  completionIdOf,
  newAccountId,
  newCompletionId,
  newGrantId,
  uuidOf,
} from '@weir/contracts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createLedger } from './ledger.ts'
import { faultsOf } from './testing/faults.ts'
import { applyBatch } from './testing/lanes.ts'
import { earlier, openOldBooks } from './testing/old-books.ts'
import { oldRowsOf } from './testing/old-rows.ts'
import { rowsOf } from './testing/rows.ts'

const PAST_A_FLOAT = 9_007_199_254_740_993n

/** Three accounts with everything that could happen then, some of it a hundred days ago. */
async function usedOldBooks() {
  const books = await openOldBooks()
  const accounts = [newAccountId(), newAccountId(), newAccountId()] as const
  const [busy, poor, nobody] = accounts.map(uuidOf) as [string, string, string]

  await books.give(busy, 'promotional', 30n, null, earlier(uuidOf(newGrantId())))
  await books.settle(busy, await books.reserve(busy, 20n, earlier(uuidOf(newCompletionId()))), 20n)
  await books.age()
  await books.give(busy, 'purchased', PAST_A_FLOAT, 'invoice 7')
  await books.settle(busy, await books.reserve(busy, 25n), 25n)
  await books.release(busy, await books.reserve(busy, 5n))
  await books.give(poor, 'subscription', 10n, null)
  await books.settle(poor, await books.reserve(poor, 10n), 13n)
  // A free completion needed no account in the books.
  const free = completionIdOf(await books.reserve(nobody, 0n))
  const open = completionIdOf(await books.reserve(busy, 40n))
  return { books, accounts, open, free }
}

test('books of the first release are carried over to the microcredit', async () => {
  const { books, accounts } = await usedOldBooks()
  await using _ = books
  const before = await Promise.all(accounts.map((accountId) => oldRowsOf(books.db, accountId)))

  await books.migrate()

  expect(await rowsOf(books.db, accounts)).toEqual(before)
  expect(await faultsOf(books.db, accounts)).toEqual([])
  const { rows } = await sql<{ months: number; strays: number }>`
    select count(distinct tableoid)::int as months,
      count(*) filter (where tableoid::regclass::text like '%default')::int as strays
    from (select tableoid from ledger.entry union all select tableoid from ledger.reservation) t`.execute(books.db)
  // Now and a hundred days ago, of entries and of reservations.
  expect(rows).toEqual([{ months: 4, strays: 0 }])
})

test('in books that were carried over, what was open is settled and what was given is not given again', async () => {
  const { books, accounts, open, free } = await usedOldBooks()
  await using _ = books
  await books.migrate()
  const [busy, poor, nobody] = accounts
  const settle = (accountId: AccountId, completionId: CompletionId) =>
    applyBatch(books.db, [{ kind: 'settle', accountId, completionId, cost: 40n }])
  const give = (accountId: AccountId) =>
    ({
      op: 'grant',
      accountId,
      kind: 'purchased',
      amount: PAST_A_FLOAT,
      actor: 'test',
      reference: 'invoice 7',
    }) as const

  const settled = [await settle(busy, open), await settle(busy, open), await settle(nobody, free)].flat()
  const given = await createLedger(books.db).amend([give(busy), give(poor)])

  const paid = { charged: 40n, uncollected: 0n }
  expect(settled).toEqual([
    { kind: 'closed', ...paid },
    { kind: 'already_closed', ...paid },
    { kind: 'closed', charged: 0n, uncollected: 40n },
  ])
  expect(given).toMatchObject([{ kind: 'repeated' }, { kind: 'done' }])
  expect(await faultsOf(books.db, accounts)).toEqual([])
})

test('books that nobody has used yet are brought up to date, and again to no effect', async () => {
  await using books = await openOldBooks()

  expect((await books.migrate())[0]).toBe('ledger/0003-audit')
  expect(await books.migrate()).toEqual([])

  const grant = { op: 'grant', accountId: newAccountId(), kind: 'purchased', amount: 5n, actor: 'test' } as const
  expect(await createLedger(books.db).amend([grant])).toMatchObject([{ kind: 'done' }])
})
