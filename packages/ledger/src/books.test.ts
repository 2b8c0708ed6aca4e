import { type AccountId, newCompletionId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultsOf } from './testing/faults.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

/** An account with every kind of entry, one open reservation and one that has ended. */
async function usedAccount(): Promise<AccountId> {
  const accountId = await ledger.accountWith(['promotional', 30n], ['purchased', 70n])
  await ledger.settle(accountId, await ledger.reserved(accountId, 20n), 130n)
  await ledger.give({ accountId, kind: 'purchased', amount: 50n, reference: 'invoice 7' })
  await ledger.settle(accountId, await ledger.reserved(accountId, 20n), 10n)
  await ledger.reserved(accountId, 15n)
  return accountId
}

const uuid = () => uuidOf(newCompletionId())
const grantOf = (column: string, value: unknown) => {
  const row = { id: uuid(), account_id: uuid(), kind: 'purchased', amount: 10n, balance: 10n, created_at: new Date() }
  return insertOf('ledger.credit_grant', { ...row, [column]: value })
}
const reservationOf = (values: Record<string, unknown>) =>
  insertOf('ledger.reservation', { id: uuid(), account_id: uuid(), amount: 1n, created_at: new Date(), ...values })
const entryOf = (values: Record<string, unknown>) => {
  const row = { account_id: uuid(), sequence: 1n, kind: 'charge', ref: uuid(), grant_id: uuid(), amount: 1n }
  return insertOf('ledger.entry', { ...row, balance_after: 0n, created_at: new Date(), ...values })
}

function insertOf(table: string, row: Record<string, unknown>): RawBuilder<unknown> {
  const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)))
  return sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`
}

test.each([
  ['account_never_overdrawn', insertOf('ledger.account', { id: uuid(), balance: 10n, held: 11n })],
  ['account_never_overdrawn', insertOf('ledger.account', { id: uuid(), balance: 10n, held: -1n })],
  ['grant_kind_known', grantOf('kind', 'borrowed')],
  ['grant_never_overdrawn', grantOf('balance', -1n)],
  ['grant_never_overdrawn', grantOf('balance', 11n)],
  ['reservation_amount_not_negative', reservationOf({ amount: -1n })],
  ['reservation_amount_not_negative', reservationOf({ captured: -1n })],
  ['reservation_state_known', reservationOf({ state: 'lost', closed_at: new Date() })],
  ['reservation_open_or_closed', reservationOf({ state: 'settled' })],
  ['reservation_open_or_closed', reservationOf({ closed_at: new Date() })],
  ['entry_kind_known', entryOf({ kind: 'gift' })],
  ['entry_moves_credits', entryOf({ amount: 0n })],
  ['entry_names_its_grant', entryOf({ grant_id: null })],
  ['entry_names_its_grant', entryOf({ kind: 'uncollected' })],
])('the books themselves refuse what breaks %s', async (constraint, statement) => {
  await expect(statement.execute(ledger.db)).rejects.toMatchObject({ constraint })
})

test('a reference gives once per account, even past the function that gives', async () => {
  const accountId = await usedAccount()
  const copy = sql`
    insert into ledger.credit_grant (id, account_id, kind, amount, balance, reference, created_at)
    values (${uuid()}, ${uuidOf(accountId)}, 'purchased', 50, 50, 'invoice 7', now())`

  await expect(copy.execute(ledger.db)).rejects.toMatchObject({ constraint: 'grant_given_once' })
})

test.each(['grant', 'charge', 'uncollected'])('an entry of kind %s is made once', async (kind) => {
  const accountId = await usedAccount()
  const copy = sql`
    insert into ledger.entry select account_id, sequence + 100, kind, ref, grant_id, amount, balance_after, created_at
    from ledger.entry where account_id = ${uuidOf(accountId)} and kind = ${kind}`

  await expect(copy.execute(ledger.db)).rejects.toMatchObject({ constraint: 'entry_once' })
})

test.each([
  ['updated', sql`update ledger.entry set amount = amount + 1`],
  ['deleted', sql`delete from ledger.entry`],
  ['truncated', sql`truncate ledger.entry`],
])('entries cannot be %s', async (_, statement) => {
  const accountId = await usedAccount()
  const before = await ledger.entries(accountId)

  await expect(statement.execute(ledger.db)).rejects.toThrow('entries are append-only')

  expect(await ledger.entries(accountId)).toEqual(before)
})

const mine = (accountId: AccountId) => sql`account_id = ${uuidOf(accountId)}`

test.each<[string, (accountId: AccountId) => RawBuilder<unknown>]>([
  [
    'the balance is not what its grants hold',
    (id) => sql`update ledger.account set balance = balance + 1 where id = ${uuidOf(id)}`,
  ],
  [
    'the balance is not what its entries moved',
    (id) => sql`update ledger.entry set amount = amount - 1 where ${mine(id)} and kind = 'charge' and sequence = 3`,
  ],
  [
    'held is not what open reservations hold',
    (id) =>
      sql`update ledger.reservation set state = 'released', closed_at = now() where ${mine(id)} and state = 'open'`,
  ],
  ['the entries have a gap', (id) => sql`delete from ledger.entry where ${mine(id)} and kind = 'uncollected'`],
  [
    'an entry does not continue the chain of its grant',
    (id) => sql`update ledger.entry set balance_after = 1 where ${mine(id)} and sequence = 3`,
  ],
  [
    'a grant does not hold what its last entry says',
    (id) => sql`update ledger.credit_grant set balance = balance - 1 where ${mine(id)} and balance > 0`,
  ],
  [
    'a grant is not entered with its amount',
    (id) => sql`update ledger.credit_grant set amount = amount + 1 where ${mine(id)}`,
  ],
  [
    'the charges of a completion are not what its reservation captured',
    (id) => sql`update ledger.reservation set captured = captured + 1 where ${mine(id)} and state = 'settled'`,
  ],
  ['a charge has no reservation', (id) => sql`delete from ledger.reservation where ${mine(id)} and captured > 0`],
  [
    'credits are reserved on an account without books',
    (id) => sql`delete from ledger.account where id = ${uuidOf(id)}`,
  ],
])('a check of the books finds that %s', async (fault, corrupt) => {
  const accountId = await usedAccount()
  expect(await ledger.faults(accountId)).toEqual([])

  const found = await faultsAfter(corrupt(accountId), accountId)

  expect(found).toContain(fault)
})

/** What a check finds after a change that nobody is able to make in earnest; it is undone. */
async function faultsAfter(change: RawBuilder<unknown>, accountId: AccountId): Promise<string[]> {
  const tx = await ledger.db.startTransaction().execute()
  try {
    await sql`set local session_replication_role = replica`.execute(tx)
    await change.execute(tx)
    return await faultsOf(tx as Database, [accountId])
  } finally {
    await tx.rollback().execute()
  }
}

test('a batch that would end a reservation twice is refused whole', async () => {
  const accountId = await ledger.accountWith(['promotional', 10n], ['purchased', 100n])
  const completionId = await ledger.reserved(accountId, 10n)
  await ledger.reserved(accountId, 50n)
  const settle = { kind: 'settle', accountId, completionId, cost: 10n } as const

  await expect(ledger.apply(settle, settle)).rejects.toThrow('ends a reservation twice')

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 110n, reserved: 60n, available: 50n })
  expect(await ledger.faults(accountId)).toEqual([])
})

test('a batch whose accounts are out of order is refused whole', async () => {
  const accounts = [await ledger.accountWith(100n), await ledger.accountWith(100n)]
  const ops = accounts.map((accountId) => {
    return { kind: 'reserve', accountId, completionId: newCompletionId(), amount: 10n } as const
  })

  await expect(ledger.apply(...ops.toReversed())).rejects.toThrow('not sorted by account')

  expect(await Promise.all(accounts.map(ledger.available))).toEqual([100n, 100n])
})
