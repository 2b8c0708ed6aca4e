import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { openQuota, readQuota } from './quota.ts'

/** Two workers on one Redis. */
async function workersFixture() {
  const resources = new AsyncDisposableStack()
  const prefix = `test-${randomUUID()}`
  const errors: unknown[] = []
  const connect = () => {
    const redis = new Redis(inject('redisUrl'))
    resources.defer(() => redis.disconnect())
    return redis
  }
  const open = async () => resources.use(await openQuota(connect(), prefix, (error) => errors.push(error)))
  const redis = connect()
  return {
    one: await open(),
    other: await open(),
    open,
    errors,
    read: () => readQuota(redis, prefix),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

test('a group that one worker was told to leave alone is left alone by all', async () => {
  await using workers = await workersFixture()

  workers.one.close('vendor', 60_000)

  expect(workers.one.closedMs('vendor')).toBeGreaterThan(59_000)
  await expect.poll(() => workers.other.closedMs('vendor'), { timeout: 10_000 }).toBeGreaterThan(50_000)
  expect((await workers.open()).closedMs('vendor')).toBeGreaterThan(50_000)
  expect(workers.other.closedMs('another')).toBe(0)
  expect(workers.errors).toEqual([])
})

test('a group opens again by itself, everywhere', async () => {
  await using workers = await workersFixture()

  workers.one.close('vendor', 50)

  await expect.poll(() => workers.one.closedMs('vendor')).toBe(0)
  await expect.poll(workers.read).toEqual(new Map())
})

test('of two ends the later counts, and none is beyond five minutes', async () => {
  await using workers = await workersFixture()

  workers.one.close('vendor', 60_000)
  workers.other.close('vendor', 1_000)
  workers.one.close('slow', 86_400_000)

  await expect.poll(async () => [...(await workers.read()).keys()].sort()).toEqual(['slow', 'vendor'])
  const closed = await workers.read()
  expect(closed.get('vendor')).toBeGreaterThan(50_000)
  expect(closed.get('slow')).toBeLessThanOrEqual(300_000)
})
