import { ServiceError } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { cancel } from './cancel.ts'
import { USAGE_COST, answering, holding, playing, text, unasked } from './testing/backend.ts'
import { type Loss, lossyRelay } from './testing/lossy-relay.ts'
import { requestOf, serviceFixture } from './testing/service.ts'

const losses: Loss[] = ['unsent', 'reset', 'silence']
const streaming = requestOf({ stream: true })
const broken = new ServiceError('backend_error', 'The backend failed.')

test.each(losses)('a claim that is lost once (%s) costs one attempt and begins one epoch', async (loss) => {
  await using service = await serviceFixture()
  await using lossy = await lossyRelay(service.prefix, 'claim', loss)
  const job = await service.submitted()

  expect(await service.run(job, answering, { relay: lossy.relay, maxAttempts: 1 })).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', attempts: [{ attempt: 1 }] })
  expect(await service.relay.recordOf(job.id)).toMatchObject({ epoch: 1 })
})

test.each(losses)('a stream whose decision is lost once (%s) is completed, not interrupted', async (loss) => {
  await using service = await serviceFixture()
  await using lossy = await lossyRelay(service.prefix, 'prepare', loss)
  const job = await service.submitted(streaming)

  expect(await service.run(job, answering, { relay: lossy.relay })).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', attempts: [{ end: 'completed' }] })
  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
})

test('a cancelled stream whose decision is refused once pays for what was generated', async () => {
  await using service = await serviceFixture()
  await using lossy = await lossyRelay(service.prefix, 'prepare', 'unsent')
  const job = await service.submitted(streaming)
  const backend = holding(text('Water is lazy.'))
  const running = service.run(job, backend.play, { relay: lossy.relay })
  await backend.reached

  await cancel(service, job.id)

  expect(await running).toEqual({ kind: 'done' })
  expect(await service.books()).toEqual({ charged: 13n, reserved: 0n })
})

test.each(losses)('an attempt that lets go tells its end once though that is lost once (%s)', async (loss) => {
  await using service = await serviceFixture()
  await using lossy = await lossyRelay(service.prefix, 'letGo', loss)
  const job = await service.submitted()

  expect(await service.run(job, playing(broken), { relay: lossy.relay })).toMatchObject({ kind: 'retry' })
  await service.run(job, answering)

  expect((await service.outcomeOf(job))?.attempts).toMatchObject([
    { attempt: 1, end: 'failed', error: 'backend_error' },
    { attempt: 2, end: 'completed' },
  ])
})

test.each(losses)('an attempt that is handed back is taken back once though that is lost once (%s)', async (loss) => {
  await using service = await serviceFixture()
  await using lossy = await lossyRelay(service.prefix, 'letGo', loss)
  const job = await service.submitted()
  service.attempts.handBackSilent()

  await service.run(job, holding().play, { relay: lossy.relay })

  expect((await service.relay.inspect(job.id))?.attempts).toMatchObject([{ attempt: 1, end: 'handed_back' }])
  expect(await service.redis.hget(service.stateOf(job.id), 'attempts')).toBe('0')
})

test('a worker that may have lost its job repeats nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const claim = vi.fn(() => Promise.reject(new Error('Connection is closed.')))
  const relay = { ...service.relay, claim }

  expect(await service.run(job, unasked, { relay, signal: AbortSignal.abort('lock lost') })).toMatchObject({
    kind: 'retry',
  })

  expect(claim).toHaveBeenCalledOnce()
})

test('a worker that wakes after its job has begun elsewhere shuts nobody out', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const late = service.runnerOf(unasked, { worker: { channel: 'nobody', name: 'a frozen worker' } })
  const backend = holding(text('Water is lazy.'))
  const running = service.runnerOf(backend.play)(job.id, new AbortController().signal, 2)
  await backend.reached

  expect(await late(job.id, new AbortController().signal, 1)).toEqual({ kind: 'done' })
  backend.release()
  await running

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', attempts: [{ attempt: 1 }] })
})
