import { openTestDatabase } from '@weir/local/testing'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openAccounts } from './accounts.ts'
import { faultsOf } from './books.ts'
import { openPool } from './server.ts'
import { type AskedWay, askedWays } from './ways.ts'
import { rowsAlone } from './ways/rows-alone.ts'

const WINDOW = { leadInMs: 0, lengthMs: 300 }

async function openWay(name: AskedWay) {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = openPool(url, 4)
  const way = resources.use(askedWays[name].open(db))
  const accounts = await openAccounts(db, 3)
  const opened = resources.move()
  return { db, way, accounts, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

test.each(Object.keys(askedWays) as AskedWay[])('the way "%s" keeps whole books under load', async (name) => {
  await using opened = await openWay(name)
  const { way, accounts } = opened

  const slice = await way.run({ accounts, inFlight: 12 }, WINDOW)

  expect(slice.pairs).toBeGreaterThan(0)
  expect(await way.faults()).toEqual([])
})

test('the bound writes a row for each reservation it counts', async () => {
  await using database = await openTestDatabase()
  const db = openPool(database.url, 1)
  const accounts = await openAccounts(db, 3)
  await using way = await rowsAlone(db, accounts)

  const slice = await way.run({ accounts, inFlight: 12 }, WINDOW)

  expect(slice.pairs).toBeGreaterThan(0)
  expect(await way.faults()).toEqual([])
})

test.each([
  ['a balance', sql`update ledger.account set balance = balance + 1`, 'a balance is not what its grants hold'],
  ['what is held', sql`update ledger.account set held = held + 1`, 'what is held is not what open reservations hold'],
  [
    'a grant',
    sql`update ledger.credit_grant set balance = balance - 1`,
    'a grant does not hold what its last entry says',
  ],
  [
    'what a completion cost',
    sql`update ledger.reservation set captured = captured - 1 where captured > 0`,
    'a completion was not charged what its reservation says',
  ],
  [
    'an entry',
    sql`delete from ledger.entry where kind = 'charge'`,
    'a balance is not what its entries moved, or one of them is missing',
  ],
])('whoever changes %s is found out', async (_, change, fault) => {
  await using opened = await openWay('ours')
  const { db, way, accounts } = opened
  await way.run({ accounts, inFlight: 4 }, WINDOW)

  // As nobody can who is not the owner of the tables.
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await change.execute(tx)
  })

  expect(await faultsOf(db)).toContain(fault)
})
