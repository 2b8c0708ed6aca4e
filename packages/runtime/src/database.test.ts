import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { sql } from 'kysely'
import { expect, inject, test } from 'vitest'
import { openDatabase } from './database.ts'
import { isDependencyError } from './dependency-errors.ts'

const open = (options: { max?: number; timeoutMs?: number; url?: string } = {}) => {
  const { max = 1, timeoutMs = 60_000, url = inject('databaseUrl') } = options
  return openDatabase(url, { max, timeoutMs, onError: () => {} })
}
const failureOf = (query: Promise<unknown>) =>
  query.then(
    () => undefined,
    (error: unknown) => error,
  )

test('whole numbers of Postgres arrive exact, in lists too', async () => {
  await using db = open()

  const { rows } = await sql`
    select 9007199254740993 as one, '{9007199254740993,-1}'::bigint[] as some, '{}'::bigint[] as none, 7::int as small
  `.execute(db)

  expect(rows).toEqual([{ one: 9_007_199_254_740_993n, some: [9_007_199_254_740_993n, -1n], none: [], small: 7 }])
})

test('a connection that Postgres ends fails its query as a dependency, and the next query has a new one', async () => {
  await using db = open()

  const failure = await failureOf(sql`select pg_terminate_backend(pg_backend_pid())`.execute(db))

  expect(isDependencyError(failure)).toBe(true)
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
})

test('a connection that breaks between two statements of a transaction fails it as a dependency', async () => {
  await using db = open({ max: 2 })
  const tx = await db.startTransaction().execute()
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)

  await sql`select pg_terminate_backend(${rows[0]!.pid}, 10000)`.execute(db)
  const failure = await failureOf(sql`select 1`.execute(tx))

  expect(isDependencyError(failure)).toBe(true)
  await failureOf(tx.rollback().execute())
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
})

test('a query past its time fails as a dependency, and the next one need not wait for it', async () => {
  await using db = open({ timeoutMs: 100 })

  const failure = await failureOf(sql`select pg_sleep(60)`.execute(db))

  expect(isDependencyError(failure)).toBe(true)
  await using patient = open()
  expect((await sql`select 1 as one`.execute(patient)).rows).toEqual([{ one: 1 }])
})

test('a Postgres that accepts and never answers is a dependency that is away', async () => {
  await using silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  await using db = open({ url: `postgres://weir@127.0.0.1:${port}/weir`, timeoutMs: 100 })

  expect(isDependencyError(await failureOf(sql`select 1`.execute(db)))).toBe(true)
})
