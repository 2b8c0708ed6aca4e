import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { createLease } from './lease.ts'
import { openRedis } from './redis.ts'

async function leasesFixture() {
  const key = `test-${randomUUID()}:lease`
  const redis = await openRedis(inject('redisUrl'), { kind: 'command', timeoutMs: 10_000, onError: () => {} })
  const lease = () => createLease(redis, key, 60_000)
  return { redis, key, lease, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() }
}

test('one holder at a time has a lease, and keeps it', async () => {
  await using fixture = await leasesFixture()
  const [mine, theirs] = [fixture.lease(), fixture.lease()]

  expect([await mine.hold(), await theirs.hold(), await mine.hold()]).toEqual([true, false, true])
})

test('a lease that was given back, or has lapsed, is free', async () => {
  await using fixture = await leasesFixture()
  const [first, second, third] = [fixture.lease(), fixture.lease(), fixture.lease()]
  await first.hold()
  await first[Symbol.asyncDispose]()
  expect(await second.hold()).toBe(true)

  await fixture.redis.del(fixture.key)

  expect(await third.hold()).toBe(true)
})

test('a lease that another has by now is not given back', async () => {
  await using fixture = await leasesFixture()
  const [late, holder, other] = [fixture.lease(), fixture.lease(), fixture.lease()]
  await late.hold()
  await fixture.redis.del(fixture.key)
  await holder.hold()

  await late[Symbol.asyncDispose]()

  expect(await other.hold()).toBe(false)
})
