import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newCompletionId } from '@weir/contracts'
import { openRedis as openRedisServer } from '@weir/local'
import { expect, test, vi } from 'vitest'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 30_000, interval: 20 }

async function ownRedis() {
  const resources = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'weir-redis-'))
  resources.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const { url } = resources.use(await openRedisServer({ dir }))
  return { url, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Long enough for a loop without a pause to be refused thousands of times. */
const SAMPLE_MS = 1_000

test('a consumer at a Redis that is read-only tries again and again, and never in a tight loop', async () => {
  await using server = await ownRedis()
  await using lane = await laneFixture({ url: server.url })
  const onError = vi.fn()
  const held = heldProcess()
  // Where more jobs wait, BullMQ fetches the next one without a pause.
  await Promise.all([1, 2, 3].map(() => lane.enqueue(newCompletionId())))
  await lane.consume(held.process, { onError, concurrency: 1 })
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)
  const refusals = async () => Number(/READONLY:count=(\d+)/.exec(await lane.redis.info('errorstats'))?.[1] ?? 0)

  await lane.redis.replicaof('127.0.0.1', 1)
  held.runs[0]!.release()
  await vi.waitFor(async () => expect(await refusals()).toBeGreaterThan(0), PATIENCE)
  await sleep(SAMPLE_MS)
  const refused = await refusals()
  await lane.redis.replicaof('NO', 'ONE')

  await vi.waitFor(() => expect(held.runs).toHaveLength(2), PATIENCE)
  held.runs[1]!.release()
  expect(refused).toBeLessThan(200)
  expect(onError.mock.calls.length).toBeLessThan(200)
})
