import { setTimeout as sleep } from 'node:timers/promises'
import { newCompletionId } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { laneKeys } from './lane-keys.ts'
import { createPaceReader, createWorkerReports } from './pace.ts'
import { admissionFixture } from './testing/admission-fixture.ts'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 20_000 }

async function paceFixture() {
  const fixture = await admissionFixture()
  const reports = createWorkerReports(fixture.redis, laneKeys(fixture.prefix, 'interactive'))
  return {
    ...fixture,
    ...reports,
    pace: createPaceReader(fixture.redis, laneKeys(fixture.prefix, 'interactive'), 0),
    workers: `{${fixture.prefix}:lanes}:workers`,
    fill: (waiting: number) => Promise.all(Array.from({ length: waiting }, () => fixture.enqueue(newCompletionId()))),
  }
}

test('workers add their slots, and their means weigh as much as their slots', async () => {
  await using fixture = await paceFixture()
  expect(await fixture.pace()).toEqual({ slots: 0, meanMs: undefined })

  await fixture.announce('large', { slots: 30, meanMs: 1_000 })
  await fixture.announce('small', { slots: 10, meanMs: 2_000 })
  await fixture.announce('new', { slots: 60, meanMs: undefined })

  expect(await fixture.pace()).toEqual({ slots: 100, meanMs: 1_250 })
})

test('a worker that is silent is not counted, and is swept away by the next that speaks', async () => {
  await using fixture = await paceFixture()
  await fixture.redis.hset(fixture.workers, 'silent', '1 30 1000')

  expect(await fixture.pace()).toEqual({ slots: 0, meanMs: undefined })
  await fixture.announce('other', { slots: 10, meanMs: 1_000 })

  expect(await fixture.redis.hkeys(fixture.workers)).toEqual(['other'])
  expect(await fixture.redis.pttl(fixture.workers)).toBeGreaterThan(0)
})

test('the pace is read once for all who ask within a second', async () => {
  await using fixture = await paceFixture()
  const reader = createPaceReader(fixture.redis, laneKeys(fixture.prefix, 'interactive'), 60_000)
  await Promise.all([reader(), reader()])

  await fixture.announce('late', { slots: 10, meanMs: 1_000 })

  expect(await reader()).toEqual({ slots: 0, meanMs: undefined })
})

test('a request whose turn would come after its deadline is refused at once, and takes nothing', async () => {
  await using fixture = await paceFixture()
  await fixture.announce('worker', { slots: 2, meanMs: 10_000 })
  await fixture.fill(20)

  const refused = await fixture.take({ timeLeftMs: 90_000 })

  expect(refused).toMatchObject({ kind: 'too_late', waitMs: 100_000 })
  if (refused.kind !== 'too_late') return
  // Ten seconds, and a fifth more or less.
  expect(refused.retryAfterMs).toBeGreaterThanOrEqual(8_000)
  expect(refused.retryAfterMs).toBeLessThanOrEqual(12_000)
  expect(await fixture.keys()).toEqual([])
  expect(await fixture.take({ timeLeftMs: 100_000 })).toMatchObject({ kind: 'admitted' })
})

test('those that are refused together are not told the same', async () => {
  await using fixture = await paceFixture()
  await fixture.announce('worker', { slots: 1, meanMs: 60_000 })
  await fixture.fill(5)

  const refused = await Promise.all(Array.from({ length: 5 }, () => fixture.take({ timeLeftMs: 1_000 })))

  const pauses = refused.map((verdict) => verdict.kind === 'too_late' && verdict.retryAfterMs)
  expect(new Set(pauses).size).toBeGreaterThan(1)
})

test.each([
  ['no worker has spoken', undefined],
  ['no worker has ended anything', { slots: 1, meanMs: undefined }],
])('while %s nobody is refused for want of time', async (_, pace) => {
  await using fixture = await paceFixture()
  if (pace) await fixture.announce('worker', pace)
  await fixture.fill(50)

  expect(await fixture.take({ timeLeftMs: 1 })).toMatchObject({ kind: 'admitted' })
  expect(await fixture.forecast()).toMatchObject({ waiting: 50, waitMs: undefined })
})

test('a worker tells its slots and how long a completion keeps it busy, until it stops', async () => {
  await using lane = await laneFixture()
  const pace = createPaceReader(lane.redis, laneKeys(lane.prefix, 'interactive'), 0)
  const consumer = await lane.consume(
    async () => {
      await sleep(50)
      return { kind: 'done' }
    },
    { concurrency: 7 },
  )
  await vi.waitFor(async () => expect(await pace()).toEqual({ slots: 7, meanMs: undefined }), PATIENCE)

  await lane.enqueue(newCompletionId())
  await vi.waitFor(async () => expect((await pace()).meanMs).toBeGreaterThanOrEqual(49), PATIENCE)
  await consumer.stop(0)

  await vi.waitFor(async () => expect(await pace()).toEqual({ slots: 0, meanMs: undefined }), PATIENCE)
})

test('a worker that drains has no slots to offer, while it still runs what it has', async () => {
  await using lane = await laneFixture()
  const pace = createPaceReader(lane.redis, laneKeys(lane.prefix, 'interactive'), 0)
  const held = heldProcess()
  const consumer = await lane.consume(held.process, { concurrency: 7 })
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  const stopped = consumer.stop(60_000)

  await vi.waitFor(async () => expect((await pace()).slots).toBe(0), PATIENCE)
  held.runs[0]!.release()
  await stopped
})
