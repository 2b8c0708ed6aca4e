import { randomUUID } from 'node:crypto'
import { type CompletionId, newCompletionId } from '@weir/contracts'
import { Worker } from 'bullmq'
import { expect, test, vi } from 'vitest'
import { laneKeys } from './lane-keys.ts'
import { heldProcess, laneFixture } from './testing/lane-fixture.ts'

const PATIENCE = { timeout: 30_000 }
type LaneFixture = Awaited<ReturnType<typeof laneFixture>>

test('a job whose fetch was never answered, again and again, is not given up', async () => {
  await using lane = await laneFixture()
  const { runs, release } = await busyConsumer(lane)
  const id = newCompletionId()
  await lane.enqueue(id)
  for (let n = 0; n < 5; n++) {
    await fetchInVain(lane, id)
    await vi.waitFor(async () => expect(await lane.redis.llen(lane.keyOf('wait'))).toBe(1), PATIENCE)
  }

  release()

  await vi.waitFor(() => expect(runs.at(-1)!.id).toBe(id), PATIENCE)
})

test('a job that BullMQ gives up at last makes room for the reconciler to add it again', async () => {
  await using lane = await laneFixture()
  const { runs, release } = await busyConsumer(lane)
  const id = newCompletionId()
  await lane.enqueue(id)
  await lane.redis.hset(lane.keyOf(id), 'stc', 1_000)
  await fetchInVain(lane, id)
  release()
  await vi.waitFor(async () => expect(await lane.has(id)).toBe(false), PATIENCE)
  expect(runs.map((run) => run.id)).not.toContain(id)

  await lane.enqueue(id)

  await vi.waitFor(() => expect(runs.at(-1)!.id).toBe(id), PATIENCE)
})

test('an attempt that had to wait for the one before it keeps its own lock', async () => {
  await using lane = await laneFixture()
  const id = newCompletionId()
  const held = heldProcess()
  await lane.consume(held.process, { lockMs: 1_000, stalledIntervalMs: 200 })
  await lane.enqueue(id)
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)
  await lane.redis.del(lane.keyOf(`${id}:lock`))
  const putAside = async () => expect(await lane.redis.zcard(lane.keyOf('delayed'))).toBe(1)
  await vi.waitFor(putAside, { ...PATIENCE, interval: 5 })
  held.runs[0]!.release()
  await vi.waitFor(() => expect(held.runs).toHaveLength(2), PATIENCE)

  let renewals = -1
  let ttl = 0
  const renewed = async () => {
    const before = ttl
    ttl = await lane.redis.pttl(lane.keyOf(`${id}:lock`))
    if (ttl > before) renewals += 1
    expect(renewals).toBeGreaterThan(3)
  }
  await vi.waitFor(renewed, { ...PATIENCE, interval: 20 })

  expect(held.runs).toHaveLength(2)
  expect(held.runs[1]!.signal.aborted).toBe(false)
  held.runs[1]!.release()
})

/** A consumer that looks for lost jobs all the time and takes none itself, until it is released. */
async function busyConsumer(lane: LaneFixture) {
  const held = heldProcess()
  await lane.consume(held.process, { concurrency: 1, stalledIntervalMs: 100 })
  await lane.enqueue(newCompletionId())
  await vi.waitFor(() => expect(held.runs).toHaveLength(1), PATIENCE)
  return { runs: held.runs, release: held.runs[0]!.release }
}

/** A worker fetches the job and is gone before it has heard of it. */
async function fetchInVain(lane: LaneFixture, id: CompletionId) {
  const { queue, prefix } = laneKeys(lane.prefix, 'interactive')
  const connection = await lane.connect('blocking')
  const worker = new Worker(queue, null, { connection, prefix, lockDuration: 100 })
  worker.on('error', () => {})
  const job = await worker.getNextJob(randomUUID(), { block: false })
  expect(job?.id).toBe(id)
  await worker.close()
}
