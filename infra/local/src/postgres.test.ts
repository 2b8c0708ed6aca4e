import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openPostgres } from './postgres.ts'
import { isAlive } from './processes.ts'
import { serverOfKilledLauncher } from './testing/killed-launcher.ts'
import { openTempDir } from './testing/temp-dir.ts'

test('Postgres keeps its data, its address and its password over a restart', async () => {
  await using dir = await openTempDir()
  const open = () => openPostgres({ dir: dir.path, durable: false })

  const first = await open()
  await query(first.url, 'create table kept as select 7 as number')
  await first[Symbol.asyncDispose]()
  await using second = await open()

  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select number from kept')).toEqual([{ number: 7 }])
})

test('Postgres takes another port when somebody has taken its own', async () => {
  await using dir = await openTempDir()
  const open = () => openPostgres({ dir: dir.path, durable: false })
  const first = await open()
  await first[Symbol.asyncDispose]()

  await using _squatter = createServer().listen(first.port, '127.0.0.1')
  await once(_squatter, 'listening')
  await using second = await open()

  expect(second.port).not.toBe(first.port)
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('the Postgres of a killed launcher is stopped and its data taken over', async () => {
  await using dir = await openTempDir()
  const module = JSON.stringify(new URL('./postgres.ts', import.meta.url).href)
  const leftover = await serverOfKilledLauncher(
    `const { openPostgres } = await import(${module}); return openPostgres({ dir: ${JSON.stringify(dir.path)} })`,
  )
  expect(isAlive(leftover)).toBe(true)

  await using server = await openPostgres({ dir: dir.path })

  expect(isAlive(leftover)).toBe(false)
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a pid file that names a stranger neither prevents the start nor harms the stranger', async () => {
  await using dir = await openTempDir()
  await using otherDir = await openTempDir()
  const open = () => openPostgres({ dir: dir.path, durable: false })
  const first = await open()
  await first[Symbol.asyncDispose]()
  // Another Postgres of the same user is the stranger that is easiest to mistake.
  await using stranger = await openPostgres({ dir: otherDir.path, durable: false })
  await writeFile(join(dir.path, 'data/postmaster.pid'), `${stranger.pid}\n${join(dir.path, 'data')}\n`)

  await using server = await open()

  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(await query(stranger.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('Postgres is durable unless told otherwise, and open to nobody but this machine and the password', async () => {
  await using dir = await openTempDir()
  await using server = await openPostgres({ dir: dir.path })
  const names = ['fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories']

  const rows = await query(server.url, `select name, setting from pg_settings where name in ('${names.join("','")}')`)

  const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  expect(settings).toEqual({
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  })
  const wrong = new URL(server.url)
  wrong.password = 'wrong'
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password/)
  expect((await stat(join(dir.path, 'data'))).mode & 0o777).toBe(0o700)
  expect((await stat(join(dir.path, 'password'))).mode & 0o777).toBe(0o600)
})

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
