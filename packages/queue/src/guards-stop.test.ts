import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newCompletionId } from '@weir/contracts'
import { openRedis as openRedisServer } from '@weir/local'
import { expect, test, vi } from 'vitest'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const ONE_HOUR = 3_600_000

test('a worker that has nothing to do stops soon although Redis is away', async () => {
  await using server = await ownRedis()
  await using lane = await laneFixture({ url: server.url })
  const consumer = await lane.consume(heldProcess().process)
  await server.stop()

  await consumer.stop(ONE_HOUR)

  expect(consumer.silentMs()).toBe(0)
})

test('a worker that stops while Redis is away does so soon after the last of its jobs has ended', async () => {
  await using server = await ownRedis()
  await using lane = await laneFixture({ url: server.url })
  const held = heldProcess()
  const consumer = await lane.consume(held.process)
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), 20_000)
  await server.stop()
  const told: string[] = []

  const stopped = consumer.stop(ONE_HOUR).then(() => told.push('stopped'))
  told.push('released')
  held.runs[0]!.release()
  await stopped

  expect(told).toEqual(['released', 'stopped'])
  expect(held.runs[0]!.signal.aborted).toBe(false)
})

async function ownRedis() {
  const dir = await mkdtemp(join(tmpdir(), 'weir-redis-'))
  const server = await openRedisServer({ dir })
  const stop = async () => server[Symbol.asyncDispose]()
  return {
    url: server.url,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
