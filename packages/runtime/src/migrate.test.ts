import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { type MigrationSource, migrate } from './migrate.ts'
import { openEmptyDatabase } from './testing/empty-database.ts'

/** An empty database and rooms whose migrations the test writes. */
async function migrationFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openEmptyDatabase())
  const folder = await mkdtemp(join(tmpdir(), 'weir-migrations-'))
  resources.defer(() => rm(folder, { recursive: true }))
  const db = resources.use(openDatabase(url, { max: 1, timeoutMs: 60_000, onError: () => {} }))

  const opened = resources.move()
  return {
    url,
    source: { room: 'room', folder } satisfies MigrationSource,
    write: (file: string, text: string) => writeFile(join(folder, file), text),
    rowsOf: async (table: string) => (await sql`select * from ${sql.table(table)}`.execute(db)).rows,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('migrations run in the order of their numbers, and running them again does nothing', async () => {
  await using room = await migrationFixture()
  await room.write('0002-fill.sql', 'insert into thing values (1); insert into thing values (2);')
  await room.write('0001-make.sql', 'create table thing (id int);')
  await room.write('notes.md', 'not a migration')

  expect(await migrate(room.url, [room.source])).toEqual(['room/0001-make', 'room/0002-fill'])
  expect(await migrate(room.url, [room.source])).toEqual([])

  expect(await room.rowsOf('thing')).toEqual([{ id: 1 }, { id: 2 }])
})

test('several processes migrate one database at once, and every migration runs once', async () => {
  await using room = await migrationFixture()
  await room.write('0001-make.sql', 'create table thing (id int);')
  await room.write('0002-fill.sql', 'insert into thing values (1);')

  const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(room.url, [room.source])))

  expect(ran.flat()).toEqual(['room/0001-make', 'room/0002-fill'])
  expect(await room.rowsOf('thing')).toEqual([{ id: 1 }])
})

test('a migration that fails is told with its cause and leaves nothing behind', async () => {
  await using room = await migrationFixture()
  await room.write('0001-make.sql', 'create table thing (id int);')
  await room.write('0002-break.sql', 'insert into thing values (1); insert into nowhere values (1);')

  await expect(migrate(room.url, [room.source])).rejects.toThrow('relation "nowhere" does not exist')

  await room.write('0002-break.sql', 'insert into thing values (2);')
  await migrate(room.url, [room.source])
  expect(await room.rowsOf('thing')).toEqual([{ id: 2 }])
})

test('a room may add a migration although rooms that come after it have run theirs', async () => {
  await using room = await migrationFixture()
  await room.write('0001-make.sql', 'create table thing (id int);')
  await migrate(room.url, [{ ...room.source, room: 'store' }])
  await room.write('0001-make.sql', 'create table other (id int);')

  const both = [
    { ...room.source, room: 'ledger' },
    { ...room.source, room: 'store' },
  ]
  expect(await migrate(room.url, both)).toEqual(['ledger/0001-make'])

  expect(await room.rowsOf('other')).toEqual([])
})
