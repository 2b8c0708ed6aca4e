import { newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { cancelled, completed, jobOf, recordOf, streamJob } from './testing/jobs.ts'
import { WORKER, relayFixture } from './testing/relay-fixture.ts'

test('each claim of a completion begins a newer epoch and counts one attempt more', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()

  const claims = [await fixture.claim(job), await fixture.claim(job)]

  const shared = { kind: 'claimed', job, startedAt: expect.any(Number), audience: ['nobody'] }
  const lost = { attempt: 1, worker: WORKER.name, startedAt: expect.any(Number), end: 'lost' }
  expect(claims).toEqual([
    { ...shared, epoch: 1, attempt: 1, before: [] },
    { ...shared, epoch: 2, attempt: 2, before: [lost] },
  ])
})

test('a completion submitted twice keeps its first state', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()

  await fixture.relay.submit({ ...job, deadlineAt: 0 }, 'another replica')

  expect(await fixture.claim(job)).toMatchObject({ kind: 'claimed', job: { deadlineAt: job.deadlineAt } })
  expect(await fixture.redis.hget(fixture.keys.stateOf(job.id), 'audience')).toBe('nobody ')
})

test('a completion that is submitted again after a loss starts above every epoch of before', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.discard(job.id)

  await fixture.relay.submit(job, 'nobody', 1)

  expect(await fixture.claim(job)).toMatchObject({ kind: 'claimed', epoch: 1001, attempt: 1 })
  expect(await fixture.emit(job, 1)).toBe('stale')
})

test('a completion that Redis does not know is missing', async () => {
  await using fixture = await relayFixture()

  expect(await fixture.relay.claim(newCompletionId(), WORKER, 3)).toEqual({ kind: 'missing' })
})

test('a completion that has ended cannot be claimed', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.conclude(job.id, completed())

  expect(await fixture.claim(job)).toEqual({ kind: 'ended' })
})

test('a claim of a decided completion gets the decision to settle, to the last microcredit', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  const outcome = completed(9_007_199_254_740_993n)
  await fixture.relay.prepare(job.id, 1, outcome)

  expect(await fixture.claim(job)).toEqual({ kind: 'prepared', job, outcome })
})

test('a completion cancelled while it ran is found cancelled by the next claim', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.cancel(job.id, cancelled())

  expect(await fixture.claim(job)).toMatchObject({ kind: 'cancelled', epoch: 2, job })
})

test('a completion past its deadline is not run', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(jobOf({ deadlineAt: Date.now() - 1 }))

  expect(await fixture.claim(job)).toEqual({ kind: 'expired', epoch: 1, job, before: [] })
})

test('a stream that has shown a frame is not begun again', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.emit(job, 1)

  expect(await fixture.claim(job)).toMatchObject({ kind: 'interrupted', epoch: 2, job, before: [{ end: 'lost' }] })
})

test('a stream that has shown nothing yet may be begun again', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())

  expect(await fixture.claim(job)).toMatchObject({ kind: 'claimed', epoch: 2 })
})

test('a plain completion may run again whatever its last attempt had made', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.emit(job, 1)

  expect(await fixture.claim(job)).toMatchObject({ kind: 'claimed', epoch: 2 })
})

test('a completion is not run more often than it may be', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 2)
  await fixture.claim(job, 2)

  expect(await fixture.claim(job, 2)).toMatchObject({ kind: 'exhausted', epoch: 3, job })
})

test('an attempt that is given back is not counted', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 1)
  await fixture.relay.letGo(job.id, 1, recordOf('handed_back'))

  const claim = await fixture.claim(job, 1)
  expect(claim).toMatchObject({ kind: 'claimed', epoch: 2, attempt: 1, before: [recordOf('handed_back')] })
})

test('every attempt is remembered in order, whether it told its end or was lost', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.letGo(job.id, 1, recordOf('failed'))
  await fixture.claim(job)

  const claim = await fixture.claim(job)

  expect(claim).toMatchObject({
    before: [
      { attempt: 1, end: 'failed' },
      { attempt: 2, end: 'lost' },
    ],
  })
  const inspection = await fixture.relay.inspect(job.id)
  expect(inspection?.attempts.map(({ end }) => end)).toEqual(['failed', 'lost', undefined])
})

test('an attempt that another has replaced can give nothing back', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.claim(job)
  await fixture.relay.letGo(job.id, 1, recordOf('handed_back'))

  expect(await fixture.claim(job)).toMatchObject({ kind: 'claimed', attempt: 3 })
})
