import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { withConnection } from '../admin-database.ts'
import { openTestDatabase } from './test-database.ts'
import { openTestRedis } from './test-redis.ts'

test('many test files ask for a database at once and each gets one of its own', async () => {
  const databases = await Promise.all(Array.from({ length: 6 }, () => openTestDatabase()))
  try {
    await Promise.all(databases.map(({ url }) => withConnection(url, (db) => db.query('create table own (id int)'))))
    expect(new Set(databases.map(({ url }) => url)).size).toBe(6)
  } finally {
    await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()))
  }
  expect(await databaseNames()).not.toContain(new URL(databases[0]?.url ?? '').pathname.slice(1))
})

test('what a test leaves in Redis goes with it, and what others hold stays', async () => {
  const [mine, other] = [await openTestRedis(), await openTestRedis()]
  const redis = new Redis(mine.url)
  await redis.mset(`${mine.prefix}:a`, '1', `{${mine.prefix}}:b`, '2', `${other.prefix}:a`, '3')

  await mine[Symbol.asyncDispose]()

  expect(await redis.mget(`${mine.prefix}:a`, `{${mine.prefix}}:b`, `${other.prefix}:a`)).toEqual([null, null, '3'])
  await other[Symbol.asyncDispose]()
  redis.disconnect()
})

async function databaseNames(): Promise<string[]> {
  const { rows } = await withConnection(inject('databaseUrl'), (db) => db.query('select datname from pg_database'))
  return rows.map(({ datname }) => datname)
}
