import { newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Settle } from './operations.ts'
import { applyBatch, inOrderOfAccounts } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

// A connection keeps the plans it made while a table was empty, as a new month is: reading all of it is cheapest then.
// Weeks later it still reads all of it, for every batch. So `ledger.apply` says itself which plans it wants.

const COMPLETIONS = 20_000
const ACCOUNTS = 1_000
const BATCH = 500

test('a batch reads only the rows it is about, though its plans were made when the books were empty', async () => {
  await using ledger = await openLedgerFixture()

  const { whole, byIndex } = await rowsReadBySettling(ledger)

  expect(whole).toBe(0)
  // Of each operation: its reservation and its account, both read and then written, and one grant.
  expect(byIndex).toBeLessThanOrEqual(BATCH * 8)
})

test('without its pinned plans, the same batch reads whole tables', async () => {
  await using ledger = await openLedgerFixture()
  for (const setting of ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'])
    await sql`alter function ledger.apply reset ${sql.raw(setting)}`.execute(ledger.db)

  const { whole } = await rowsReadBySettling(ledger)

  expect(whole).toBeGreaterThanOrEqual(ACCOUNTS)
})

/** How many rows a batch reads, from tables that were read whole and by an index, on a connection that knew them empty. */
async function rowsReadBySettling(ledger: LedgerFixture): Promise<{ whole: number; byIndex: number }> {
  await keepStatistics(ledger.db)
  await using connection = ledger.connect()
  await makePlans(connection)
  const open = await fill(ledger.db)
  // From all over the table.
  const batch = inOrderOfAccounts(Array.from({ length: BATCH }, (_, i) => open[(i * 37) % COMPLETIONS]!))

  return await connection.transaction().execute(async (tx) => {
    const verdicts = await applyBatch(tx as Database, batch)
    expect(verdicts).toEqual(Array(BATCH).fill({ kind: 'closed', charged: 3n, uncollected: 0n }))
    const { rows } = await sql<{ whole: number; byIndex: number }>`
      select sum(seq_tup_read)::int as whole, sum(idx_tup_fetch)::int as "byIndex"
      from pg_stat_xact_user_tables where schemaname = 'ledger'`.execute(tx)
    return rows[0]!
  })
}

/** Nobody looks at the tables meanwhile: new statistics would make new plans. */
async function keepStatistics(db: Database): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select oid::regclass::text as name from pg_class
    where relnamespace = 'ledger'::regnamespace and relkind = 'r'`.execute(db)
  for (const { name } of rows) await sql`alter table ${sql.raw(name)} set (autovacuum_enabled = off)`.execute(db)
}

/** After a few executions a connection stays with the plan it has. */
async function makePlans(db: Database): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const of = { accountId: newAccountId(), completionId: newCompletionId() }
    await applyBatch(db, [{ kind: 'reserve', ...of, quote: 0n }])
    await applyBatch(db, [{ kind: 'settle', ...of, cost: 0n }])
  }
}

/** Many accounts, each with a grant and open reservations, as they would stand after a while. */
async function fill(db: Database): Promise<Settle[]> {
  const accounts = Array.from({ length: ACCOUNTS }, newAccountId)
  const open = Array.from({ length: COMPLETIONS }, (_, i): Settle => {
    return { kind: 'settle', accountId: accounts[i % ACCOUNTS]!, completionId: newCompletionId(), cost: 3n }
  })
  const ids = accounts.map(uuidOf)
  await sql`insert into ledger.account (id, balance, held)
    select id, 1000, 100 from unnest(${ids}::uuid[]) as id`.execute(db)
  await sql`insert into ledger.credit_grant (id, account_id, kind, priority, amount, balance, created_at)
    select gen_random_uuid(), id, 'purchased', 100, 1000, 1000, now() from unnest(${ids}::uuid[]) as id`.execute(db)
  await sql`insert into ledger.reservation (id, account_id, quote, amount, created_at, expires_at)
    select id, account, 5, 5, now(), now() from unnest(
      ${open.map(({ completionId }) => uuidOf(completionId))}::uuid[],
      ${open.map(({ accountId }) => uuidOf(accountId))}::uuid[]) as t(id, account)`.execute(db)
  return open
}
