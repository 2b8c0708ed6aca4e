import { newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { cancelled, completed, recordOf, streamJob } from './testing/jobs.ts'
import { WORKER, relayFixture } from './testing/relay-fixture.ts'

test('an outcome is decided once, and everybody who decides gets the one that stands', async () => {
  await using fixture = await relayFixture()
  const { id } = await fixture.running()

  const decided = await Promise.all([1n, 2n, 3n].map((cost) => fixture.relay.prepare(id, 1, completed(cost))))

  expect(decided).toEqual([completed(1n), completed(1n), completed(1n)])
})

test('an attempt that another has replaced decides nothing', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.claim(job)

  expect(await fixture.relay.prepare(job.id, 1, completed())).toBeUndefined()
  expect(await fixture.relay.inspect(job.id)).toMatchObject({ decided: undefined, isRunning: true })
})

test('whoever decides after the end gets the terminal record', async () => {
  await using fixture = await relayFixture()
  const { id } = await fixture.running()
  await fixture.relay.conclude(id, completed(1n))

  expect(await fixture.relay.prepare(id, 1, completed(2n))).toEqual(completed(1n))
})

test('a completion is concluded once', async () => {
  await using fixture = await relayFixture()
  const { id } = await fixture.running()

  await fixture.relay.conclude(id, completed(1n))
  await fixture.relay.conclude(id, completed(2n))

  expect(await fixture.relay.recordOf(id)).toMatchObject({ outcome: completed(1n), lastSequence: 0 })
})

test('what has ended keeps neither its prompt nor its keys', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.emit(job, 1)
  const state = fixture.keys.stateOf(job.id)
  const before = await fixture.redis.pexpiretime(state)

  await fixture.relay.conclude(job.id, completed())

  expect(await fixture.redis.hmget(state, 'job', 'prepared', 'worker')).toEqual([null, null, null])
  // Retention is shorter than what a running completion gets.
  const expiries = [
    await fixture.redis.pexpiretime(state),
    await fixture.redis.pexpiretime(fixture.keys.framesOf(job.id)),
  ]
  for (const expiry of expiries) expect(expiry).toBeGreaterThan(0)
  for (const expiry of expiries) expect(expiry).toBeLessThan(before)
})

test('a completion nobody has claimed is cancelled at once, and its claim finds it decided', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()

  expect(await fixture.relay.cancel(job.id, cancelled())).toEqual({
    kind: 'decided',
    job,
    before: [],
    outcome: cancelled(),
  })
  expect(await fixture.claim(job)).toMatchObject({ kind: 'prepared', outcome: cancelled() })
})

test('a completion that was handed back is cancelled at once', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.letGo(job.id, 1, recordOf('handed_back'))

  expect(await fixture.relay.cancel(job.id, cancelled())).toMatchObject({ kind: 'decided' })
})

test('a completion that waits for its next attempt is cancelled at once, and that attempt was one', async () => {
  await using fixture = await relayFixture()
  const [waiting, goingOn] = [await fixture.running(), await fixture.running()]
  for (const { id } of [waiting, goingOn]) await fixture.relay.letGo(id, 1, recordOf('failed'))

  expect(await fixture.relay.cancel(waiting.id, cancelled())).toMatchObject({ kind: 'decided' })
  expect(await fixture.claim(goingOn)).toMatchObject({ kind: 'claimed', attempt: 2 })
})

test('the worker that runs a cancelled completion is told', async () => {
  await using fixture = await relayFixture()
  const subscriber = await fixture.connect('subscriber')
  await subscriber.subscribe(fixture.prefix)
  const told = new Promise((resolve) => subscriber.on('message', (_, text) => resolve(text)))
  const job = await fixture.submitted()
  await fixture.relay.claim(job.id, { channel: fixture.prefix, name: 'worker' }, 3)

  expect(await fixture.relay.cancel(job.id, cancelled())).toEqual({ kind: 'running' })
  expect(await told).toBe(job.id)
})

test.each(['prepare', 'conclude'] as const)('a cancel after the %s changes nothing', async (step) => {
  await using fixture = await relayFixture()
  const { id } = await fixture.running()
  if (step === 'prepare') await fixture.relay.prepare(id, 1, completed())
  else await fixture.relay.conclude(id, completed())

  expect(await fixture.relay.cancel(id, cancelled())).toEqual({ kind: 'ending' })
  expect(await fixture.relay.inspect(id)).toMatchObject({ decided: completed() })
})

test('a completion that Redis does not know cannot be cancelled', async () => {
  await using fixture = await relayFixture()
  const id = newCompletionId()

  expect(await fixture.relay.cancel(id, cancelled())).toEqual({ kind: 'missing' })
  expect(await fixture.redis.exists(fixture.keys.stateOf(id))).toBe(0)
})

test('a cancel of a claimed completion decides nothing: its worker does', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.cancel(job.id, cancelled())

  expect(await fixture.redis.hget(fixture.keys.stateOf(job.id), 'worker')).toBe(WORKER.channel)
  expect(await fixture.relay.prepare(job.id, 1, completed())).toEqual(completed())
})

test('a discarded completion leaves nothing behind', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.emit(job, 1)
  await fixture.relay.conclude(job.id, completed())

  await fixture.relay.discard(job.id)

  expect(await fixture.redis.exists(fixture.keys.stateOf(job.id), fixture.keys.framesOf(job.id))).toBe(0)
  expect(await fixture.relay.recordOf(job.id)).toBeUndefined()
})
