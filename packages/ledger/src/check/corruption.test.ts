import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { damages } from '../testing/check-damages.ts'
import { type UsedAccount, useAccounts } from '../testing/check-fixture.ts'
import { type CheckReport, type LedgerCheck, createLedgerCheck } from './check.ts'
import { keepMonths } from '../months.ts'
import { takeClock } from '../testing/clock.ts'
import { type LedgerFixture, openLedgerFixture } from '../testing/ledger-fixture.ts'

const table = Object.entries(damages)
  .flatMap(([invariant, rows]) => rows.map(([what, damage, ...also]) => ({ what, invariant, damage, also })))
  .map((row, i) => ({ ...row, i }))

let ledger: LedgerFixture
let check: LedgerCheck['check']
let neighbour: UsedAccount
let accounts: UsedAccount[]
beforeAll(async () => {
  ledger = await openLedgerFixture()
  ;({ check } = createLedgerCheck(ledger.db))
  const begin = new Date()
  accounts = await useAccounts(ledger, await takeClock(ledger.db, begin), begin, table.length + 1)
  neighbour = accounts.pop()!
  await keepMonths(ledger.db)
  await dropConstraints(ledger.db)
})
afterAll(() => ledger[Symbol.asyncDispose]())

test('before anything is damaged, all is well', async () => {
  expect(await check()).toMatchObject({ accounts: table.length + 1, findings: [] })
})

test.each(table)('when $what, $invariant does not hold', async ({ invariant, damage, also, i }) => {
  const { accountId } = accounts[i]!

  expect(await pastTriggers(ledger.db, damage(accounts[i]!))).toBeGreaterThan(0n)

  const report = await check({ accountIds: [accountId, neighbour.accountId] })
  expect(brokenIn(report)).toEqual(new Set([invariant, ...also]))
  expect(accusedIn(report)).toEqual(new Set([accountId]))
})

test('all that is wrong is found at once, and nobody is accused who is whole', async () => {
  const report = await check({ limit: 1_000 })

  expect(brokenIn(report)).toEqual(new Set(Object.keys(damages)))
  expect(accusedIn(report)).toEqual(new Set(accounts.map(({ accountId }) => accountId)))
  expect(report.unlisted).toBe(0)
})

test('of everything that is broken something is listed, however short the list, and the rest is counted', async () => {
  const whole = await check({ limit: 1_000 })

  const short = await check({ limit: 25 })

  expect(brokenIn(short)).toEqual(brokenIn(whole))
  expect(short.findings).toHaveLength(25)
  expect(short.unlisted).toBe(whole.findings.length - 25)
})

const brokenIn = ({ findings }: CheckReport) => new Set(findings.map(({ invariant }) => invariant))
const accusedIn = ({ findings }: CheckReport) => new Set(findings.map(({ accountId }) => accountId))

/** What the tables refuse of themselves, the check finds without their help. */
async function dropConstraints(db: Database): Promise<void> {
  await sql`do $$
    declare c record;
    begin
      for c in select conrelid::regclass as owner, conname from pg_constraint
        where contype = 'c' and coninhcount = 0 and connamespace = 'ledger'::regnamespace
      loop
        execute format('alter table %s drop constraint %I', c.owner, c.conname);
      end loop;
    end $$`.execute(db)
}

async function pastTriggers(db: Database, damage: RawBuilder<unknown>): Promise<bigint> {
  return db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    return (await damage.execute(tx)).numAffectedRows ?? 0n
  })
}
