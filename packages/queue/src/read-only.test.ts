import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newCompletionId } from '@weir/contracts'
import { openRedis as openRedisServer } from '@weir/local'
import { expect, test, vi } from 'vitest'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 20_000 }

async function ownRedis() {
  const resources = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'weir-redis-'))
  resources.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const { url } = resources.use(await openRedisServer({ dir }))
  return { url, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test('a Redis that is read-only for a moment, as after a failover, does not make a finished job run again', async () => {
  await using server = await ownRedis()
  await using lane = await laneFixture({ url: server.url })
  const id = newCompletionId()
  const held = heldProcess()
  await lane.consume(held.process)
  await lane.enqueue(id)
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)

  await lane.redis.replicaof('127.0.0.1', 1)
  held.runs[0]!.release()
  await vi.waitFor(async () => expect(await lane.redis.info('errorstats')).toContain('READONLY'), PATIENCE)
  await lane.redis.replicaof('NO', 'ONE')

  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)
  expect(held.runs).toHaveLength(1)
})
