import { randomBytes } from 'node:crypto'
import { newAccountId, newCompletionId, newKeyId, uuidOf } from '@weir/contracts'
import { type Database, openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasAppRole } from './app-role.ts'
import { createLedger } from './ledger.ts'
import { createPrices } from './prices.ts'
import { PATIENCE_MS, applyBatch } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { usedAccount } from './testing/used-account.ts'

let ledger: LedgerFixture
/** A connection of a login that may do what the role `weir_app` may, and nothing else. */
let app: Database
const resources = new AsyncDisposableStack()
beforeAll(async () => {
  ledger = resources.use(await openLedgerFixture())
  const url = new URL(ledger.url)
  Object.assign(url, { username: `weir_test_${randomBytes(6).toString('hex')}`, password: 'secret' })
  const login = sql.raw(url.username)
  await sql`create role ${login} login password 'secret' in role weir_app`.execute(ledger.db)
  resources.defer(async () => void (await sql`drop role ${login}`.execute(ledger.db)))
  app = resources.use(openDatabase(url.href, { max: 2, timeoutMs: PATIENCE_MS, onError: () => {} }))
  await usedAccount(ledger)
})
afterAll(() => resources.disposeAsync())

test('the processes that serve may reserve, settle, amend, limit, price and read', async () => {
  const [accountId, completionId, keyId] = [newAccountId(), newCompletionId(), newKeyId()]
  const books = createLedger(app)
  const prices = createPrices(app)
  const price = { input: 1n, cachedInput: 1n, output: 1n }

  await books.amend([{ op: 'grant', accountId, kind: 'purchased', amount: 10n, actor: 'test' }])
  await books.setShortage(accountId, 'clamp')
  await books.setKeyLimit(accountId, keyId, 'day', 9n)
  const verdicts = [
    ...(await applyBatch(app, [{ kind: 'reserve', accountId, completionId, quote: 20n, least: 1n, keyId }])),
    ...(await applyBatch(app, [{ kind: 'settle', accountId, completionId, cost: 4n }])),
    ...(await books.amend([{ op: 'refund', accountId, completionId, actor: 'test', reason: 'because' }])),
  ]
  await prices.register([{ id: 'model', price }])
  await prices.set('model', price)

  expect(verdicts).toMatchObject([{ kind: 'reserved', amount: 9n }, { charged: 4n }, { kind: 'done', moved: 4n }])
  expect(await books.balanceOf(accountId)).toEqual({ balance: 10n, reserved: 0n, available: 10n })
  expect(await books.keyLimitsOf(accountId, keyId)).toMatchObject([{ spent: 4n }])
  expect(await books.entriesOf(accountId, { limit: 10 })).toHaveLength(3)
  expect(await books.spendableGrantsOf(accountId)).toHaveLength(1)
  expect(await books.endedGrants(10)).toEqual([])
  expect(await prices.current()).toHaveLength(1)
})

const tables = ['account', 'credit_grant', 'reservation', 'entry', 'action', 'price_version', 'key_limit', 'key_spend']

test.each(tables)('they may not change, delete or truncate a row of %s', async (name) => {
  const table = sql.table(`ledger.${name}`)
  const { rows } = await sql<{ column: string }>`
    select attname as column from pg_attribute
    where attrelid = ${`ledger.${name}`}::regclass and attnum > 0 and attgenerated = '' limit 1`.execute(ledger.db)
  const column = sql.ref(rows[0]!.column)

  const refused = { code: '42501', message: expect.stringContaining('permission denied') }
  await expect(sql`update ${table} set ${column} = ${column}`.execute(app)).rejects.toMatchObject(refused)
  await expect(sql`delete from ${table}`.execute(app)).rejects.toMatchObject(refused)
  await expect(sql`truncate ${table}`.execute(app)).rejects.toMatchObject(refused)
})

test.each(tables.filter((name) => name !== 'price_version'))(
  'they may not add a row to %s past the functions',
  async (name) => {
    const copy = sql`insert into ${sql.table(`ledger.${name}`)} default values`

    await expect(copy.execute(app)).rejects.toMatchObject({ code: '42501' })
  },
)

test('they may not call what the functions are made of, nor make anything of their own among them', async () => {
  const move = sql`select ledger.move(gen_random_uuid(), 'adjustment', gen_random_uuid(), 1, now())`
  const make = sql`create function ledger.clock_of_mine() returns int language sql as 'select 1'`

  await expect(move.execute(app)).rejects.toMatchObject({ code: '42501' })
  await expect(make.execute(app)).rejects.toMatchObject({ code: '42501' })
})

test('their own tables cannot stand in for those of the books', async () => {
  const accountId = await ledger.accountWith(5n)
  await app.transaction().execute(async (tx) => {
    await sql`create temporary table account (id uuid, balance bigint) on commit drop`.execute(tx)
    await sql`set local search_path = pg_temp, public`.execute(tx)
    const verdicts = await applyBatch(tx as Database, [
      { kind: 'reserve', accountId, completionId: newCompletionId(), quote: 6n },
    ])
    expect(verdicts).toMatchObject([{ kind: 'insufficient_credits', available: 5n }])
  })
})

/** The partitions of entries, and the table they are parts of. */
async function entryTables(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relid::regclass::text as name from pg_partition_tree('ledger.entry')`.execute(ledger.db)
  return rows.map(({ name }) => name)
}

test('who owns the books can neither change nor delete what is only ever added to, in no month', async () => {
  const names = [...(await entryTables()), 'ledger.action', 'ledger.price_version']
  expect(names.length).toBeGreaterThan(5)

  for (const name of names) {
    const table = sql.raw(name)
    for (const statement of [
      sql`update ${table} set created_at = created_at`,
      sql`delete from ${table}`,
      sql`truncate ${table}`,
    ])
      await expect(statement.execute(ledger.db), name).rejects.toThrow('is append-only')
  }
})

test('who owns the books cannot change what was said of a grant, nor take one away', async () => {
  const [accountId] = [await ledger.accountWith(5n)]
  const mine = sql`where account_id = ${uuidOf(accountId)}`
  const before = await ledger.grantsOf(accountId, { limit: 1 })

  for (const statement of [
    sql`update ledger.credit_grant set expires_at = now() + interval '1 hour' ${mine}`,
    sql`update ledger.credit_grant set amount = amount + 1 ${mine}`,
    sql`update ledger.credit_grant set priority = 1 ${mine}`,
    sql`update ledger.credit_grant set kind = 'promotional' ${mine}`,
    sql`delete from ledger.credit_grant ${mine}`,
    sql`truncate ledger.credit_grant`,
  ])
    await expect(statement.execute(ledger.db)).rejects.toThrow('credit_grant is append-only')
  expect(await ledger.grantsOf(accountId, { limit: 1 })).toEqual(before)
})

test('whether the server has the role can be asked by anybody', async () => {
  expect(await Promise.all([hasAppRole(ledger.db), hasAppRole(app)])).toEqual([true, true])
})
