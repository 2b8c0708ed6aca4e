import type { CompletionJob } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { finish } from './finish.ts'
import { type ReconcileDeps, createReconciler } from './reconcile.ts'
import { interruptedOutcome } from './outcomes.ts'
import { answering, holding, text, unasked, USAGE_COST } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

/** A reconciler that looks at every completion, however young. */
function reconciling(service: ServiceFixture, deps: Partial<ReconcileDeps> = {}) {
  const unheard = { keepAlive: async () => {}, aliveEveryMs: 60_000 }
  const reconcile = createReconciler({ ...service, ...unheard, afterMs: -60_000, lostAfterMs: 0, ...deps })
  return () => reconcile(new AbortController().signal)
}

const nothingReserved = { charged: 0n, reserved: 0n }
const OVERDUE = { timeoutMs: -20_000 }

/** A worker that decides the outcome of a completion and dies. */
async function decidedAndDead(service: ServiceFixture, job: CompletionJob): Promise<void> {
  const endings = { ...service.endings, submit: () => Promise.reject(new Error('killed')) }
  await service.run(job, answering, { endings })
}

test('a completion that Redis has lost is released, once it was missing twice', async () => {
  await using service = await serviceFixture()
  const reconcile = reconciling(service)
  const job = await service.admit()

  await reconcile()
  expect((await service.books()).reserved).toBeGreaterThan(0n)
  await reconcile()

  expect(await service.books()).toEqual(nothingReserved)
  expect(await service.rowOf(job)).toEqual({ state: 'failed', error_code: 'service_unavailable', charged: 0n })
  expect(await service.redis.zcard(service.places)).toBe(0)
})

test('a completion that was missing and is handed over again is left to its worker', async () => {
  await using service = await serviceFixture()
  const reconcile = reconciling(service)
  const job = await service.admit()
  await reconcile()
  await service.relay.submit(job, service.replies.channel, 1)
  await reconcile()
  await service.relay.discard(job.id)

  await reconcile()

  expect(await service.rowOf(job)).toMatchObject({ state: 'queued' })
})

test('a completion whose worker died after its decision is settled as decided', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await decidedAndDead(service, job)
  const reconcile = reconciling(service)

  // Whoever decided it may just be settling it.
  await reconcile()
  expect((await service.books()).reserved).toBeGreaterThan(0n)
  await reconcile()

  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
  expect(await service.outcomeOf(job)).toMatchObject({
    state: 'completed',
    choices: [{ parts: [{ type: 'text', text: 'Water is lazy.' }] }],
  })
})

test('a reconciler and the next worker settle the same completion and it is charged once', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await decidedAndDead(service, job)

  await Promise.all([reconciling(service)(), reconciling(service)(), service.run(job, unasked)])

  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
  expect(await service.charges()).toHaveLength(1)
})

test.each([true, false])(
  'a completion that is long past its deadline expires (claimed before: %s)',
  async (claimed) => {
    await using service = await serviceFixture()
    const job = await service.submitted(requestOf(), OVERDUE)
    if (claimed) await service.relay.claim(job.id, { channel: 'nobody', name: 'a dead worker' }, 3)

    await reconciling(service)()

    expect(await service.rowOf(job)).toEqual({ state: 'expired', error_code: 'deadline_exceeded', charged: 0n })
    expect(await service.books()).toEqual(nothingReserved)
  },
)

test('an overdue completion is ended even where the clock of Redis has not got there', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(requestOf(), OVERDUE)
  await service.relay.submit({ ...job, deadlineAt: Date.now() + 60_000 }, service.replies.channel)

  await reconciling(service)()

  expect(await service.rowOf(job)).toMatchObject({ state: 'expired', charged: 0n })
  expect(await service.books()).toEqual(nothingReserved)
})

test('a worker that wakes up after its completion has expired gets the end that stands', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), OVERDUE)
  await reconciling(service)()

  const outcome = await finish(service, { ...job, epoch: 1 }, interruptedOutcome())

  expect(outcome).toMatchObject({ state: 'expired' })
  expect(await service.rowOf(job)).toMatchObject({ state: 'expired' })
})

test('a completion that the lane has forgotten is put back on it, and runs', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  await service.relay.submit(job, service.replies.channel)

  await reconciling(service)()

  expect(await service.lane.has(job.id)).toBe(true)
  await service.run(job, answering)
  expect(await service.rowOf(job)).toMatchObject({ state: 'completed' })
})

test('a completion that waits or runs is left alone', async () => {
  await using service = await serviceFixture()
  const [waiting, running] = [await service.submitted(), await service.submitted()]
  await service.relay.claim(running.id, service.worker, 3)
  const states = () => Promise.all([waiting, running].map(({ id }) => service.redis.hgetall(service.stateOf(id))))
  const before = [await states(), await service.books()]
  const reconcile = reconciling(service)

  await reconcile()
  await reconcile()

  expect([await states(), await service.books()]).toEqual(before)
})

test('a completion that has ended is not looked at', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, answering)
  const inspect = vi.spyOn(service.relay, 'inspect')

  await reconciling(service)()

  expect(inspect).not.toHaveBeenCalled()
})

test('one completion that cannot be mended does not keep the others waiting', async () => {
  await using service = await serviceFixture()
  const [first, second] = [await service.admit(), await service.admit()]
  await service.relay.submit(second, service.replies.channel)
  vi.spyOn(service.relay, 'inspect').mockRejectedValueOnce(new Error('unreadable'))

  await reconciling(service)()

  expect(await service.rowOf(first)).toMatchObject({ state: 'queued' })
  expect(await service.lane.has(second.id)).toBe(true)
})

const kept = { attended: false, keepMs: 60_000 }

test('a kept completion that Redis has lost is handed over again, and runs', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), kept)
  await service.relay.discard(job.id)

  await reconciling(service)()
  await service.run(job, answering)

  expect(await service.rowOf(job)).toMatchObject({ state: 'completed' })
  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
})

test('an attempt from before Redis lost a kept completion settles nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), kept)
  const backend = holding(text('Water is lazy.'))
  const stale = service.run(job, backend.play)
  await backend.reached
  await service.relay.discard(job.id)
  await reconciling(service)()

  backend.release()
  await stale
  expect(await service.rowOf(job)).toMatchObject({ state: 'queued' })
  await service.run(job, answering)

  expect(await service.charges()).toHaveLength(1)
})

test('a kept completion that Redis has lost and that is overdue expires', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(requestOf(), { ...kept, ...OVERDUE })

  await reconciling(service)()

  expect(await service.rowOf(job)).toMatchObject({ state: 'expired', charged: 0n })
})

test('what was mended is told, and what is well is not', async () => {
  await using service = await serviceFixture()
  const onFound = vi.fn()
  const reconcile = reconciling(service, { onFound })
  await service.submitted()
  await reconcile()
  expect(onFound).not.toHaveBeenCalled()

  const lost = await service.submitted(requestOf(), kept)
  await service.relay.discard(lost.id)
  await reconcile()

  expect(onFound.mock.calls).toEqual([['handed_over']])
})
