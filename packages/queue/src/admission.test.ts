import { type CompletionId, newAccountId, newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { type AdmissionLimits, createAdmission } from './admission.ts'
import { laneFixture } from './testing/lane-fixture.ts'

const LEASE_MS = 60_000

async function admissionFixture(limits: Partial<AdmissionLimits> = {}) {
  const lane = await laneFixture()
  const settings = { maxLivePerAccount: 10, maxWaiting: 1_000, ...limits }
  const accountId = newAccountId()
  const admission = createAdmission(lane.redis, lane.prefix, settings)
  return {
    ...lane,
    ...admission,
    accountId,
    places: `${lane.prefix}:live:{${accountId}}`,
    take: (id: CompletionId = newCompletionId()) => admission.enter(accountId, id, LEASE_MS),
    another: async () => createAdmission(await lane.connect(), lane.prefix, settings),
  }
}

test('a hundred completions ask at once, through several replicas, and ten get in', async () => {
  await using fixture = await admissionFixture()
  const replicas = await Promise.all(Array.from({ length: 5 }, fixture.another))

  const verdicts = await Promise.all(
    Array.from({ length: 100 }, (_, i) => replicas[i % 5]!.enter(fixture.accountId, newCompletionId(), LEASE_MS)),
  )

  expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(10)
  expect(verdicts.find(({ kind }) => kind !== 'admitted')).toEqual({ kind: 'account_full', live: 10 })
})

test('completions come and go through several replicas and never more than ten live', async () => {
  await using fixture = await admissionFixture()
  const replicas = await Promise.all(Array.from({ length: 5 }, fixture.another))
  const counts: number[] = []

  const visitor = async (_: unknown, i: number) => {
    for (let visit = 0; visit < 20; visit++) {
      const id = newCompletionId()
      const verdict = await replicas[i % 5]!.enter(fixture.accountId, id, LEASE_MS)
      counts.push(await fixture.redis.zcard(fixture.places))
      if (verdict.kind === 'admitted') await replicas[(i + 1) % 5]!.leave(fixture.accountId, id)
    }
  }
  await Promise.all(Array.from({ length: 30 }, visitor))

  expect(Math.max(...counts)).toBe(10)
  expect(await fixture.redis.zcard(fixture.places)).toBe(0)
})

test('a place that nobody gave back frees itself when its lease has ended', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1 })
  const id = newCompletionId()
  await fixture.take(id)
  expect(await fixture.take()).toEqual({ kind: 'account_full', live: 1 })

  await fixture.redis.zadd(fixture.places, 1, id)

  expect(await fixture.take()).toEqual({ kind: 'admitted' })
})

test('the places of an account do not outlive their leases', async () => {
  await using fixture = await admissionFixture()

  await fixture.enter(fixture.accountId, newCompletionId(), 1_000_000)
  await fixture.enter(fixture.accountId, newCompletionId(), 1_000)

  expect(await fixture.redis.pttl(fixture.places)).toBeGreaterThan(1_000)
  expect(await fixture.redis.zcard(fixture.places)).toBe(2)
})

test('leaving twice gives one place back, not two', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 2 })
  const id = newCompletionId()
  await fixture.take()
  await fixture.take(id)

  await fixture.leave(fixture.accountId, id)
  await fixture.leave(fixture.accountId, id)

  expect([await fixture.take(), await fixture.take()]).toEqual([
    { kind: 'admitted' },
    { kind: 'account_full', live: 2 },
  ])
})

test('one account that is full keeps nobody else out', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1 })
  await fixture.take()

  expect(await fixture.take()).toMatchObject({ kind: 'account_full' })
  expect(await fixture.enter(newAccountId(), newCompletionId(), LEASE_MS)).toEqual({ kind: 'admitted' })
})

test('a lane that is full lets nobody in and keeps no place', async () => {
  await using fixture = await admissionFixture({ maxWaiting: 2 })
  await fixture.enqueue(newCompletionId())
  expect(await fixture.take()).toEqual({ kind: 'admitted' })
  await fixture.enqueue(newCompletionId())

  expect(await fixture.take()).toEqual({ kind: 'lane_full', waiting: 2 })
  expect(await fixture.redis.zcard(fixture.places)).toBe(1)
})
