import { createTargetHealth } from '@weir/backends'
import { expect, test } from 'vitest'
import { cancel } from './cancel.ts'
import { serviceFixture } from './testing/service.ts'

/** A vendor that wants to be left alone for so long. */
const cooling = (forMs: number) => createTargetHealth({ quota: { closedMs: () => forMs, close: () => {} } })
const mustNotBeCalled = async function* () {
  yield* []
  throw new Error('the vendor was called')
}

test('a completion whose vendors want to be left alone waits off the worker, and no attempt is used up', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const health = cooling(1_000)

  const waits = [
    await service.run(job, mustNotBeCalled, { health, maxAttempts: 1 }),
    await service.run(job, mustNotBeCalled, { health, maxAttempts: 1 }),
  ]

  for (const wait of waits) {
    expect(wait).toMatchObject({ kind: 'retry' })
    expect('afterMs' in wait && wait.afterMs).toBeGreaterThanOrEqual(1_000)
  }
  expect((await service.relay.inspect(job.id))?.attempts).toMatchObject([
    { attempt: 1, end: 'handed_back', tried: [{ target: 'gpu/small', error: 'cooling_down' }] },
    { attempt: 1, end: 'handed_back' },
  ])
})

test('a completion whose deadline passes while it waits for a vendor expires, and tells whom it waited for', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, mustNotBeCalled, { health: cooling(1_000) })
  await service.redis.hset(service.stateOf(job.id), 'deadline', Date.now() - 1)

  await cancel(service, job.id)

  expect(await service.outcomeOf(job)).toMatchObject({
    state: 'expired',
    attempts: [{ end: 'handed_back', endedAt: expect.any(Number), tried: [{ error: 'cooling_down' }] }],
  })
})

test('a completion whose vendors want to be left alone past its deadline fails at once, for free', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(undefined, { timeoutMs: 30_000 })

  expect(await service.run(job, mustNotBeCalled, { health: cooling(59_999.5) })).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({
    state: 'failed',
    error: { code: 'backend_overloaded', retryAfterMs: 60_000 },
    attempts: [{ end: 'failed', endedAt: expect.any(Number), tried: [{ error: 'cooling_down' }] }],
  })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})
