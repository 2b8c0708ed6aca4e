import { newCompletionId } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 30_000 }

test('a thousand completions leave a short stream of events behind, and nothing of what they said', async () => {
  await using lane = await laneFixture()
  // Whatever a process resolves with stays here.
  const process = vi.fn(async () => ({ kind: 'done', text: 'Water is lazy.' }) as const)
  await lane.consume(process, { concurrency: 50 })

  await Promise.all(Array.from({ length: 1_000 }, () => lane.enqueue(newCompletionId())))
  await vi.waitFor(() => expect(process).toHaveBeenCalledTimes(1_000), PATIENCE)
  await vi.waitFor(async () => expect(await lane.redis.llen(lane.keyOf('active'))).toBe(0), PATIENCE)

  const events = await lane.redis.xrange(lane.keyOf('events'), '-', '+')
  expect(events.length).toBeLessThan(1_200)
  expect(JSON.stringify(events)).not.toContain('lazy')
})

test('a completion that is done leaves nothing on the lane', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  await lane.consume(async () => ({ kind: 'done' }))

  await lane.enqueue(id)
  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)

  expect(await lane.redis.keys(`${lane.keyOf(id)}*`)).toEqual([])
  expect(await lane.redis.zcard(lane.keyOf('completed'))).toBe(0)
})
