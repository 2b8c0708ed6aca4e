import { type CompletionJob, type Outcome, ServiceError } from '@weir/contracts'
import { expect, test } from 'vitest'
import { AttemptStopped } from './attempts.ts'
import { finish } from './finish.ts'
import { interruptedOutcome } from './outcomes.ts'
import { USAGE_COST, answering, holding, text, unasked } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

const streaming = requestOf({ stream: true })

const decided = (cost: bigint): Outcome => ({
  state: 'completed',
  usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 3, source: 'reported' },
  cost,
  choices: [{ index: 0, parts: [{ type: 'text', text: 'Gravity.' }], finishReason: 'stop' }],
})

/** A newer attempt, by a worker we know nothing of. Its epoch. */
async function takenOver(service: ServiceFixture, { id }: CompletionJob): Promise<number> {
  const claim = await service.relay.claim(id, { channel: 'nobody', name: 'another worker' }, 3)
  return claim.kind === 'claimed' ? claim.epoch : 0
}

test('an attempt that was replaced settles nothing, and the newer one settles once', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const backend = holding(text('Water is lazy.'))
  const stale = service.run(job, backend.play)
  await backend.reached
  const epoch = await takenOver(service, job)

  backend.release()
  await stale
  expect(await service.books()).toMatchObject({ charged: 0n })
  await finish(service, { ...job, epoch }, decided(7n))

  expect(await service.books()).toEqual({ charged: 7n, reserved: 0n })
  expect(await service.outcomeOf(job)).toEqual(decided(7n))
})

test('an attempt that was replaced stops its backend', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding()
  const stale = service.run(job, backend.play)
  const signal = await backend.reached

  await takenOver(service, job)

  expect(await stale).toEqual({ kind: 'done' })
  expect(signal.reason).toEqual(new AttemptStopped('stale'))
})

test('a worker that lost its lock says and settles nothing more', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding(text('Water'))
  const lock = new AbortController()
  const running = service.run(job, backend.play, { signal: lock.signal })
  await backend.reached

  lock.abort('lock lost')

  expect(await running).toEqual({ kind: 'done' })
  expect(await service.outcomeOf(job)).toBeUndefined()
  expect(await service.books()).toMatchObject({ charged: 0n })
})

test('a worker dies after it has decided, and the next one settles the same amount', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.relay.prepare(job.id, await takenOver(service, job), decided(7n))

  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.books()).toEqual({ charged: 7n, reserved: 0n })
  expect(await service.outcomeOf(job)).toEqual(decided(7n))
})

test('a worker dies after it has settled, and the next one concludes without charging again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.relay.prepare(job.id, await takenOver(service, job), decided(7n))
  await service.endings.submit({ ...job, outcome: decided(7n) })

  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.charges()).toEqual([expect.objectContaining({ amount: -7n, completionId: job.id })])
  expect(await service.outcomeOf(job)).toEqual(decided(7n))
})

test('a worker dies after it has concluded, and its job is over', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, answering)

  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.charges()).toHaveLength(1)
})

test('a stream whose worker died after its first text ends with an error and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const epoch = await takenOver(service, job)
  await service.relay.emit(job.id, { epoch, sequence: 1, chunks: [text('Water')] })

  await service.run(job, unasked)

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'stream_interrupted' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a completion whose workers die again and again fails for free', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  for (let death = 0; death < 3; death++) await takenOver(service, job)

  await service.run(job, unasked)

  expect(await service.rowOf(job)).toEqual({ state: 'failed', error_code: 'internal', charged: 0n })
})

test('a completion that is ended in several ways at once ends in one of them, and is charged once', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const epoch = await takenOver(service, job)
  const ways = [decided(1n), interruptedOutcome(), decided(3n)]

  const ends = await Promise.all(ways.map((outcome) => finish(service, { ...job, epoch }, outcome)))

  expect(ends).toEqual([decided(1n), decided(1n), decided(1n)])
  expect(await service.books()).toEqual({ charged: 1n, reserved: 0n })
})

test('Postgres is away when a completion is settled, and the next claim settles it', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const endings = { ...service.endings, submit: () => Promise.reject(away) }

  expect(await service.run(job, answering, { endings })).toMatchObject({ kind: 'retry' })
  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
})

test('frames that cannot be written make an attempt give up and try again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const relay = { ...service.relay, emit: () => Promise.reject(new Error('Connection is closed.')) }
  const frames = { intervalMs: 1, frameBytes: 512, patienceMs: 1 }

  expect(await service.run(job, holding(text('Water')).play, { relay, frames })).toMatchObject({ kind: 'retry' })
  expect(await service.run(job, answering)).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', cost: USAGE_COST })
})

test('a job whose completion Redis has lost is over for its worker', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.relay.discard(job.id)

  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })
  expect((await service.books()).reserved).toBeGreaterThan(0n)
})

test('a settlement that Postgres does not take in time is made by the next attempt', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  // So slow that the attempt is found to be decided while it still waits.
  const submit = async (): Promise<never> => {
    await expect.poll(() => service.relay.check([{ id: job.id, epoch: 1 }])).toEqual(['stale'])
    service.attempts.stop(job.id, 'stale')
    throw new ServiceError('service_unavailable', 'Postgres is slow.')
  }
  const endings = { submit, [Symbol.asyncDispose]: async () => {} }

  expect(await service.run(job, answering, { endings })).toMatchObject({ kind: 'retry' })
  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', cost: USAGE_COST })
})
