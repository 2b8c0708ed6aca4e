import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { urlOfDatabase, withConnection } from './admin-database.ts'
import { runMigrations } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { openTempDir } from './testing/temp-dir.ts'
import './testing/provided.ts'

test('a login that may not make roles migrates all the same, and is told what it lacks', async () => {
  await using dir = await openTempDir()
  await using server = await openPostgres({ dir: join(dir.path, 'postgres'), durable: false })
  await withConnection(server.url, async (client) => {
    await client.query("create role humble login password 'secret'")
    await client.query('create database humble owner humble')
  })
  const url = new URL(urlOfDatabase(server.url, 'humble'))
  Object.assign(url, { username: 'humble', password: 'secret' })

  expect(await runMigrations(url.href)).toEqual([expect.stringContaining('there is no role weir_app')])
  expect(await runMigrations(server.url)).toEqual([])
})

test('a wrong password, or a database that is not there, is said in a line', async () => {
  const [wrong, nowhere, deaf] = [0, 1, 2].map(() => new URL(inject('databaseUrl'))) as [URL, URL, URL]
  wrong.password = 'wrong'
  nowhere.pathname = '/weir_nowhere'
  deaf.port = '1'

  const failures = [wrong, nowhere, deaf].map(({ href }) => runMigrations(href).catch(({ message }: Error) => message))

  const all = 'The migrations failed:\nDATABASE_URL: Postgres cannot be used: '
  expect(await Promise.all(failures)).toEqual([
    `${all}password authentication failed for user "${wrong.username}"`,
    `${all}database "weir_nowhere" does not exist`,
    expect.stringMatching(new RegExp(`^${all}.*ECONNREFUSED.*$`)),
  ])
})
