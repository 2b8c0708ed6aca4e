import { type AccountId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultsOf } from './testing/faults.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { usedAccount } from './testing/used-account.ts'

// The tests trust `faults` to see what is wrong: here it is shown that it does.

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const mine = (accountId: AccountId) => sql`account_id = ${uuidOf(accountId)}`
const newest = (id: AccountId, kind: string) =>
  sql`(account_id, sequence) = (
    select account_id, sequence from ledger.entry where ${mine(id)} and kind = ${kind} order by sequence desc limit 1)`

test.each<[string, (accountId: AccountId) => RawBuilder<unknown>]>([
  [
    'the balance is not what its grants hold',
    (id) => sql`update ledger.account set balance = balance + 1 where id = ${uuidOf(id)}`,
  ],
  [
    'the balance is not what its entries moved',
    (id) => sql`update ledger.entry set amount = amount - 1 where ${newest(id, 'charge')}`,
  ],
  [
    'the balance is not what actions brought and completions took',
    (id) => sql`update ledger.action set moved = moved + 1 where ${mine(id)} and kind = 'adjust'`,
  ],
  [
    'held is not what open reservations hold',
    (id) =>
      sql`update ledger.reservation set state = 'released', cost = 0, closed_at = now() where ${mine(id)} and state = 'open'`,
  ],
  [
    'held before is not what early reservations hold',
    (id) => sql`update ledger.account set held_before = held_before + 1 where id = ${uuidOf(id)}`,
  ],
  ['the entries have a gap', (id) => sql`delete from ledger.entry where ${mine(id)} and kind = 'uncollected'`],
  [
    'an entry does not continue the chain of its grant',
    (id) => sql`update ledger.entry set balance_after = balance_after + 1 where ${newest(id, 'charge')}`,
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
    'a grant is closed that holds credits, or open that holds none',
    (id) => sql`update ledger.credit_grant set closed = false where ${mine(id)} and balance = 0`,
  ],
  [
    'the charges of a completion are not what its reservation captured',
    (id) => sql`update ledger.reservation set captured = captured - 1 where ${mine(id)} and state = 'settled'`,
  ],
  [
    'what a completion did not pay is not in the books',
    (id) => sql`update ledger.reservation set cost = cost + 1 where ${mine(id)} and state = 'settled'`,
  ],
  ['a charge has no reservation', (id) => sql`delete from ledger.reservation where ${mine(id)} and captured > 0`],
  [
    'a completion was paid from a grant that had ended before it was reserved',
    (id) => sql`update ledger.credit_grant set expires_at = created_at + interval '1 us' where ${mine(id)}`,
  ],
  [
    'a completion was refunded more than it was charged',
    (id) => sql`update ledger.reservation set captured = 1 where ${mine(id)} and state = 'settled'`,
  ],
  [
    'the entries of an action are not what it moved',
    (id) => sql`update ledger.entry set amount = amount + 1 where ${mine(id)} and kind = 'refund'`,
  ],
  ['an entry has no action', (id) => sql`delete from ledger.action where ${mine(id)} and kind = 'revoke'`],
  [
    'the spend of a key is not what its completions hold and paid',
    (id) => sql`update ledger.key_spend set spent = spent + 1 where ${mine(id)}`,
  ],
  [
    'the spend of a key is not what its completions hold and paid',
    (id) => sql`delete from ledger.key_spend where ${mine(id)}`,
  ],
  [
    'credits are reserved on an account without books',
    (id) => sql`delete from ledger.account where id = ${uuidOf(id)}`,
  ],
])('a look at the rows finds that %s', async (fault, corrupt) => {
  const accountId = await usedAccount(ledger)
  expect(await ledger.faults(accountId)).toEqual([])

  expect(await faultsAfter(corrupt(accountId), accountId)).toContain(fault)
})

/** What is found after a change that nobody is able to make in earnest; it is undone. */
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
