import { expect, test } from 'vitest'
import { cancelled, recordOf, streamJob } from './testing/jobs.ts'
import { WORKER, relayFixture } from './testing/relay-fixture.ts'

/** As a lane counts the runs of a job. */
const RUN = 1_795_000_000_000_001

test('a claim that the same run of a job repeats is the same claim, and counts once', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()

  const claims = [await fixture.claim(job, 1, RUN), await fixture.claim(job, 1, RUN)]

  expect(claims[0]).toMatchObject({ kind: 'claimed', epoch: 1, attempt: 1, before: [] })
  expect(claims[1]).toEqual(claims[0])
})

test('a repeated claim tells the attempts before, and that of the next run tells this one', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 3, RUN)
  const claims = [await fixture.claim(job, 3, RUN + 1), await fixture.claim(job, 3, RUN + 1)]

  expect(claims[0]).toMatchObject({ epoch: 2, attempt: 2, before: [{ attempt: 1, end: 'lost' }] })
  expect(claims[1]).toEqual(claims[0])
  expect(await fixture.claim(job, 3, RUN + 2)).toMatchObject({ epoch: 3, before: [{ end: 'lost' }, { end: 'lost' }] })
})

test('a claim that comes when another run has begun changes nothing', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(streamJob())
  await fixture.claim(job, 3, RUN + 1)

  expect(await fixture.claim(job, 3, RUN)).toEqual({ kind: 'stale' })

  expect(await fixture.emit(job, 1)).toBe('emitted')
  expect((await fixture.relay.inspect(job.id))?.attempts).toMatchObject([{ attempt: 1 }])
})

test('a claim that comes when its own run has let go changes nothing, and the next run claims', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 3, RUN)
  await fixture.relay.letGo(job.id, 1, recordOf('failed'))

  expect(await fixture.claim(job, 3, RUN)).toEqual({ kind: 'stale' })
  expect(await fixture.claim(job, 3, RUN + 1)).toMatchObject({ kind: 'claimed', epoch: 2, attempt: 2 })
})

test('a claim that finds nothing to run finds the same when it is repeated', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running()
  await fixture.relay.cancel(job.id, cancelled())

  const claims = [await fixture.claim(job, 3, RUN), await fixture.claim(job, 3, RUN)]

  expect(claims.map(({ kind }) => kind)).toEqual(['cancelled', 'cancelled'])
  const [, repeated] = claims
  expect(await fixture.relay.prepare(job.id, (repeated as { epoch: number }).epoch, cancelled())).toEqual(cancelled())
})

test('two workers that a forgetful Redis has told the same run are not taken for one', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.relay.claim(job.id, { ...WORKER, channel: 'another-channel' }, 3, RUN)

  expect(await fixture.claim(job, 3, RUN)).toMatchObject({ kind: 'claimed', epoch: 2, attempt: 2 })
})

test('whoever ends a completion is not held off by the run that has it', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 3, RUN)

  expect(await fixture.claim(job, 0)).toMatchObject({ kind: 'exhausted', epoch: 2 })
})

test('letting go twice gives back one attempt and is remembered once', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted()
  await fixture.claim(job, 3, RUN)

  for (const _ of [1, 2]) await fixture.relay.letGo(job.id, 1, recordOf('handed_back'))

  expect(await fixture.claim(job, 1, RUN + 1)).toMatchObject({ attempt: 1, before: [recordOf('handed_back')] })
})
