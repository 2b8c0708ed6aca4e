import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { isAlive } from './processes.ts'
import { openStack } from './stack.ts'
import { openTempDir } from './testing/temp-dir.ts'
import './testing/provided.ts'

test('given databases are used and none of our own is started', async () => {
  await using dir = await openTempDir()
  const given = { databaseUrl: 'postgres://somewhere/weir', redisUrl: 'redis://somewhere' }

  await using stack = await openStack({ dir: join(dir.path, 'data'), ...given })

  expect(stack).toMatchObject(given)
  expect(existsSync(join(dir.path, 'data'))).toBe(false)
})

test('a given Postgres is used beside a Redis of our own', async () => {
  await using dir = await openTempDir()

  await using stack = await openStack({ dir: dir.path, databaseUrl: inject('databaseUrl'), durable: false })

  expect(stack.databaseUrl).toBe(inject('databaseUrl'))
  expect(stack.redisUrl).toMatch(/^redis:\/\/:.+@127\.0\.0\.1:\d+$/)
  expect(existsSync(join(dir.path, 'postgres'))).toBe(false)
})

test('a directory that a living launcher uses is refused, and free again when that one has stopped', async () => {
  await using dir = await openTempDir()
  const open = () => openStack({ dir: dir.path, databaseUrl: inject('databaseUrl') })

  const first = await open()
  await expect(open()).rejects.toThrow(`in use by process ${process.pid}`)
  await first[Symbol.asyncDispose]()

  await using second = await open()
  expect(second.redisUrl).toBe(first.redisUrl)
})

test('a server that ends although nobody asked it to is reported', async () => {
  await using dir = await openTempDir()
  await using stack = await openStack({ dir: dir.path, databaseUrl: inject('databaseUrl') })
  const pid = Number(
    await import('node:fs/promises').then((fs) => fs.readFile(join(dir.path, 'redis/redis.pid'), 'utf8')),
  )
  expect(isAlive(pid)).toBe(true)

  process.kill(pid, 'SIGKILL')

  expect(await stack.failed).toMatch(/ended \(SIGKILL\)/)
})
