import { type AccountId, type CompletionId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyBatch } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { holdBack, whenWaiting } from './testing/locks.ts'

let ledger: LedgerFixture
beforeAll(async () => {
  ledger = await openLedgerFixture()
  await createSettleInOneStatement(ledger.db)
})
afterAll(() => ledger[Symbol.asyncDispose]())

/**
 * How one would settle in a single statement: lock the account, look at the reservation, charge if it is open. It looks right
 * and is not. A statement sees what was committed when it began, also after it has waited for the lock: a reservation that
 * was settled meanwhile is still open to it.
 */
async function createSettleInOneStatement(db: Database): Promise<void> {
  await sql`
    create function public.settle_in_one_statement(account uuid, completion uuid, cost bigint) returns void language sql as $$
      with locked as materialized (select * from ledger.account a where a.id = $1 for update),
      open as materialized (
        select r.* from ledger.reservation r join locked on locked.id = r.account_id where r.id = $2 and r.state = 'open'
      ),
      ended as (
        update ledger.reservation r set state = 'settled', captured = $3, cost = $3, closed_at = clock_timestamp()
        from open where r.id = open.id
      ),
      drawn as (update ledger.credit_grant g set balance = g.balance - $3 from open where g.account_id = open.account_id)
      update ledger.account a set balance = a.balance - $3, held = a.held - open.amount
      from open where a.id = open.account_id
    $$`.execute(db)
}

const settleInOneStatement = async (db: Database, accountId: AccountId, completionId: CompletionId) => {
  await sql`select public.settle_in_one_statement(${uuidOf(accountId)}, ${uuidOf(completionId)}, 7)`.execute(db)
}
const settle = async (db: Database, accountId: AccountId, completionId: CompletionId) => {
  await applyBatch(db, [{ kind: 'settle', accountId, completionId, cost: 7n }])
}

/** Six connections settle one completion of 7 microcredits, all of them while somebody else has the account. */
async function settleSixTimes(
  settle: (db: Database, accountId: AccountId, completionId: CompletionId) => Promise<void>,
) {
  const accountId = await ledger.accountWith(1_000n)
  // Without these, `held` would fall below zero and the second settlement be stopped: in a quiet test, nothing shows.
  await ledger.reserved(accountId, 500n)
  const completionId = await ledger.reserved(accountId, 9n)
  const lock = sql`select from ledger.account where id = ${uuidOf(accountId)} for update`
  await using held = await holdBack(ledger.db, lock)
  const settling = Array.from({ length: 6 }, () => settle(ledger.db, accountId, completionId))
  await whenWaiting(ledger.db, 6)
  await held.letGo()
  await Promise.all(settling)
  return { accountId, paid: 1_000n - (await ledger.balanceOf(accountId)).balance }
}

test('a statement that locks an account and reads its reservation charges every copy of a settlement', async () => {
  const { accountId, paid } = await settleSixTimes(settleInOneStatement)

  expect(paid).toBe(6n * 7n)
  expect(await ledger.faults(accountId)).toContain('held is not what open reservations hold')
})

test('the ledger, which locks first and reads then, charges one of them', async () => {
  const { accountId, paid } = await settleSixTimes(settle)

  expect(paid).toBe(7n)
  expect(await ledger.faults(accountId)).toEqual([])
})

test('six connections settle the same completion at the same time, 200 times, and it is never charged twice', async () => {
  await using connections = new AsyncDisposableStack()
  const six = Array.from({ length: 6 }, () => connections.use(ledger.connect()))
  const accountId = await ledger.accountWith(...Array<bigint>(20).fill(100n))
  await ledger.reserved(accountId, 500n)

  for (let time = 1; time <= 200; time++) {
    const completionId = await ledger.reserved(accountId, 9n)
    const settle = { kind: 'settle', accountId, completionId, cost: 7n } as const
    const verdicts = (await Promise.all(six.map((connection) => applyBatch(connection, [settle])))).flat()
    expect(verdicts).toMatchObject(Array(6).fill({ charged: 7n }))
    expect(verdicts.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
  }

  expect(await ledger.balanceOf(accountId)).toEqual({ balance: 600n, reserved: 500n, available: 100n })
  expect(await ledger.faults(accountId)).toEqual([])
})
