import { newCompletionId } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

test('a completion that is enqueued twice waits once', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()

  await Promise.all([lane.enqueue(id), lane.enqueue(id), lane.enqueue(id)])

  expect(await lane.redis.lrange(lane.keyOf('wait'), 0, -1)).toEqual([id])
})

test('the lane knows a completion from its enqueueing until it is done', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const knew = [await lane.has(id)]
  await lane.enqueue(id)
  knew.push(await lane.has(id))
  await lane.consume(async () => {
    knew.push(await lane.has(id))
    return { kind: 'done' }
  })

  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), 10_000)

  expect(knew).toEqual([false, true, true])
})

test('a completion that was done can be enqueued again', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const process = vi.fn(async () => ({ kind: 'done' }) as const)
  await lane.consume(process)
  await lane.enqueue(id)
  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), 10_000)

  await lane.enqueue(id)

  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(2), 10_000)
})

test('a job that waits is a small reference without priority', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()

  await lane.enqueue(id)

  const job = await lane.redis.hgetall(lane.keyOf(id))
  expect(job).toMatchObject({ name: 'completion', data: '{}', priority: '0' })
  expect(await lane.redis.memory('USAGE', lane.keyOf(id))).toBeLessThan(1_000)
  expect(await lane.redis.exists(lane.keyOf('prioritized'))).toBe(0)
})

test('a lane that nobody reads the events of keeps few of them', async () => {
  await using lane = await laneFixture()

  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 100 }, () => lane.enqueue(newCompletionId())))

  expect(await lane.redis.llen(lane.keyOf('wait'))).toBe(2_000)
  expect(await lane.redis.xlen(lane.keyOf('events'))).toBeLessThan(1_200)
})

test('a completion that waits knows how many are before it', async () => {
  await using lane = await laneFixture()
  const ids = Array.from({ length: 3 }, newCompletionId)
  for (const id of ids) await lane.enqueue(id)

  expect(await Promise.all([...ids, newCompletionId()].map(lane.positionOf))).toEqual([0, 1, 2, undefined])
})

test('a completion that has begun has no position, and those behind it move up', async () => {
  await using lane = await laneFixture()
  const held = heldProcess()
  const [first, second] = [newCompletionId(), newCompletionId()]
  await lane.enqueue(first)
  await lane.enqueue(second)
  await lane.consume(held.process, { concurrency: 1 })

  await vi.waitFor(() => expect(held.runs).toHaveLength(1), 10_000)

  expect(held.runs[0]!.id).toBe(first)
  expect(await Promise.all([first, second].map(lane.positionOf))).toEqual([undefined, 0])
  held.runs[0]!.release()
})
