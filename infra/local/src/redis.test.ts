import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { isAlive } from './processes.ts'
import { openRedis } from './redis.ts'
import { serverOfKilledLauncher } from './testing/killed-launcher.ts'
import { openTempDir } from './testing/temp-dir.ts'

test('Redis writes everything to its append-only file and evicts nothing', async () => {
  await using dir = await openTempDir()
  await using server = await openRedis({ dir: dir.path })
  await using redis = connect(server.url)

  const read = async (name: string) =>
    Object.values(await redis.client.config('GET', name))
      .flat()
      .at(-1)

  expect(await read('appendonly')).toBe('yes')
  expect(await read('appendfsync')).toBe('everysec')
  expect(await read('maxmemory-policy')).toBe('noeviction')
  expect(await read('save')).toBe('')
})

test('Redis answers nobody without the password, which only its owner can read', async () => {
  await using dir = await openTempDir()
  await using server = await openRedis({ dir: dir.path })
  await using stranger = connect(`redis://127.0.0.1:${server.port}`)

  await expect(stranger.client.ping()).rejects.toThrow(/NOAUTH/)
  for (const file of ['password', 'redis.conf']) {
    expect((await stat(join(dir.path, file))).mode & 0o777).toBe(0o600)
  }
})

test('Redis keeps its data and its address over a restart', async () => {
  await using dir = await openTempDir()
  const first = await openRedis({ dir: dir.path })
  {
    await using redis = connect(first.url)
    await redis.client.set('kept', 'yes')
  }
  await first[Symbol.asyncDispose]()

  await using second = await openRedis({ dir: dir.path })
  await using redis = connect(second.url)

  expect(second.url).toBe(first.url)
  expect(await redis.client.get('kept')).toBe('yes')
})

test('the Redis of a killed launcher is stopped and its data taken over', async () => {
  await using dir = await openTempDir()
  const module = JSON.stringify(new URL('./redis.ts', import.meta.url).href)
  const leftover = await serverOfKilledLauncher(
    `const { openRedis } = await import(${module}); return openRedis({ dir: ${JSON.stringify(dir.path)} })`,
  )
  expect(isAlive(leftover)).toBe(true)

  await using server = await openRedis({ dir: dir.path })

  expect(isAlive(leftover)).toBe(false)
  expect(isAlive(server.pid ?? 0)).toBe(true)
})

test('a pid file that names a stranger does not harm the stranger', async () => {
  await using dir = await openTempDir()
  await writeFile(join(dir.path, 'redis.pid'), String(process.pid))

  await using server = await openRedis({ dir: dir.path })

  expect(server.version).toMatch(/^(Redis|Valkey) \d/)
})

function connect(url: string): AsyncDisposable & { client: Redis } {
  const client = new Redis(url, { retryStrategy: () => null })
  client.on('error', () => {})
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() }
}
