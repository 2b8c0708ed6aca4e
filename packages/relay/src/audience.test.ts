import { newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { cancelled, completed, jobOf, streamJob, textChunk } from './testing/jobs.ts'
import { relayFixture, repliesFixture } from './testing/relay-fixture.ts'
import { everyFrameTo, never, told } from './testing/watching.ts'

/** Who waits for a completion, as its next claim is told. */
async function audienceOf(fixture: Awaited<ReturnType<typeof relayFixture>>, job: ReturnType<typeof jobOf>) {
  const claim = await fixture.claim(job, 100)
  return claim.kind === 'claimed' ? claim.audience : claim.kind
}

test('replicas that wait are known by their channels, each once', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(jobOf(), 'first')

  await fixture.relay.attach(job.id, 'second')
  await fixture.relay.attach(job.id, 'first')
  await fixture.relay.attach(job.id, 'second')

  expect(await audienceOf(fixture, job)).toEqual(['first', 'second'])
})

test('a replica that leaves is no longer waited for, and the others are', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(jobOf(), 'first')
  for (const channel of ['second', 'third']) await fixture.relay.attach(job.id, channel)

  await fixture.relay.detach(job.id, 'second')
  await fixture.relay.detach(job.id, 'second')
  await fixture.relay.detach(job.id, 'nobody')

  expect(await audienceOf(fixture, job)).toEqual(['first', 'third'])
})

test('nobody is attached to what Redis does not know, and it stays unknown', async () => {
  await using fixture = await relayFixture()
  const id = newCompletionId()

  expect(await fixture.relay.attach(id, 'somebody')).toBe(false)
  await fixture.relay.detach(id, 'somebody')
  await fixture.relay.release(id)

  expect(await fixture.redis.exists(fixture.keys.stateOf(id))).toBe(0)
})

test('eight replicas are told at once; those that come later look by themselves', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(jobOf(), 'replica-1')

  for (let replica = 2; replica <= 20; replica++)
    expect(await fixture.relay.attach(job.id, `replica-${replica}`)).toBe(true)

  expect(await audienceOf(fixture, job)).toHaveLength(8)
})

test('a completion that somebody waits for is not cancelled by those who leave', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.submitted(jobOf(), 'first')
  await fixture.relay.attach(job.id, 'second')
  const leave = async (channel: string) => {
    await fixture.relay.detach(job.id, channel)
    return (await fixture.relay.cancel(job.id, cancelled(), { unlessAttended: true })).kind
  }

  expect(await leave('first')).toBe('attended')
  expect(await leave('second')).toBe('decided')
})

test('a completion that was released, or that never needed anybody, is not cancelled for want of somebody', async () => {
  await using fixture = await relayFixture()
  const released = await fixture.submitted(jobOf(), 'first')
  await fixture.relay.release(released.id)
  await fixture.relay.detach(released.id, 'first')
  const background = { ...jobOf(), attended: false }
  await fixture.relay.submit(background, undefined)

  for (const { id } of [released, background])
    expect(await fixture.relay.cancel(id, cancelled(), { unlessAttended: true })).toEqual({ kind: 'attended' })
  expect(await audienceOf(fixture, released)).toBeUndefined()
  expect(await audienceOf(fixture, background)).toBeUndefined()
  for (const { id } of [released, background])
    expect(await fixture.relay.cancel(id, cancelled())).toEqual({ kind: 'running' })
})

test('an attempt is told who listens, as often as it asks', async () => {
  await using fixture = await relayFixture()
  const [job, background] = [await fixture.running(jobOf(), 'first'), { ...jobOf(), attended: false }]
  await fixture.relay.submit(background, 'watcher')
  await fixture.claim(background)
  const check = () => fixture.relay.check([job, background].map(({ id }) => ({ id, epoch: 1 })))
  const before = await check()
  await fixture.relay.detach(job.id, 'first')

  expect(before).toEqual([
    { said: 'emitted', audience: ['first'] },
    { said: 'emitted', audience: undefined },
  ])
  expect(await check()).toEqual([
    { said: 'emitted', audience: [] },
    { said: 'emitted', audience: undefined },
  ])
})

test('every replica that waits is told every frame and the end', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.submitted(streamJob(), 'another')
  const heard: string[] = []
  const another = await fixture.connect('subscriber')
  another.on('message', (_channel, message: string) => heard.push(message.split('\n', 1)[0]!))
  await another.subscribe('another')
  await fixture.relay.attach(job.id, fixture.channel)
  await fixture.claim(job)
  using watch = fixture.watch(job.id)
  const events = told(watch.events(never()))

  for (const sequence of [1, 2]) await fixture.emit(job, sequence)
  await fixture.relay.conclude(job.id, completed())

  expect(await events).toBe(everyFrameTo(2))
  await expect.poll(() => heard).toEqual(['frame', 'frame', 'end'])
})

test('whoever joins late is told all of it: what was said before, and what is said from now on', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob())
  for (const sequence of [1, 2, 3]) await fixture.emit(job, sequence)
  using watch = fixture.watch(job.id, { joins: true })
  await fixture.relay.attach(job.id, fixture.channel)
  const events = told(watch.events(never()))

  for (const sequence of [4, 5]) await fixture.emit(job, sequence)
  await fixture.relay.conclude(job.id, completed())

  expect(await events).toBe(everyFrameTo(5))
})

test('whoever joins after the end is told all of it at once', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob())
  await fixture.relay.emit(job.id, { epoch: 1, sequence: 1, chunks: [textChunk('Water')] })
  await fixture.relay.conclude(job.id, completed())
  using watch = fixture.watch(job.id, { joins: true })

  expect(await told(watch.events(never()))).toBe(everyFrameTo(1))
})
