import { newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { cancelled, completed, streamJob } from './testing/jobs.ts'
import { frameOf, relayFixture } from './testing/relay-fixture.ts'

const fromStart = { epoch: 0, sequence: 0 }

test('frames are kept in order and read page by page', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  for (const sequence of [1, 2, 3]) await fixture.emit(job, sequence)

  const first = await fixture.relay.framesAfter(job.id, fromStart, 2)
  const rest = await fixture.relay.framesAfter(job.id, first.at(-1)!, 2)

  expect(first).toEqual([frameOf(1), frameOf(2)])
  expect(rest).toEqual([frameOf(3)])
})

test('an attempt that another has replaced can say nothing', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.claim(job)

  expect(await fixture.emit(job, 1)).toBe('stale')
  expect(await fixture.relay.framesAfter(job.id, fromStart, 10)).toEqual([])
})

test('a frame whose reply was lost is written once, however often it is repeated', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())

  const said = [await fixture.emit(job, 1), await fixture.emit(job, 1), await fixture.emit(job, 1)]

  expect(said).toEqual(['emitted', 'emitted', 'emitted'])
  expect(await fixture.relay.framesAfter(job.id, fromStart, 10)).toEqual([frameOf(1)])
})

test('a repeated frame is shown to the replica once', async () => {
  await using fixture = await relayFixture()
  const subscriber = await fixture.connect('subscriber')
  await subscriber.subscribe(fixture.prefix)
  const job = await fixture.running(streamJob(), fixture.prefix)
  const shown: string[] = []
  const second = new Promise<void>((resolve) => {
    subscriber.on('message', (_, text: string) => shown.push(text.split('\n')[2]!) === 2 && resolve())
  })

  for (const sequence of [1, 1, 2]) await fixture.emit(job, sequence)
  await second

  expect(shown).toEqual(['1-1', '1-2'])
})

test.each(['prepare', 'conclude'] as const)('nothing is said after the %s of a completion', async (step) => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  if (step === 'prepare') await fixture.relay.prepare(job.id, 1, completed())
  else await fixture.relay.conclude(job.id, completed())

  expect(await fixture.emit(job, 1)).toBe('stale')
})

test('the worker of a cancelled completion learns it from its next frame', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.relay.cancel(job.id, cancelled())

  expect(await fixture.emit(job, 1)).toBe('cancelled')
})

test('a completion that Redis has lost accepts no frame', async () => {
  await using fixture = await relayFixture()
  const job = streamJob()

  expect(await fixture.emit(job, 1)).toBe('stale')
  expect(await fixture.redis.exists(fixture.keys.framesOf(job.id))).toBe(0)
})

test('frames expire even if their completion never ends', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.emit(job, 1)

  expect(await fixture.redis.pexpiretime(fixture.keys.stateOf(job.id))).toBeGreaterThan(0)
  expect(await fixture.redis.pexpiretime(fixture.keys.framesOf(job.id))).toBeGreaterThan(0)
})

test('a worker asks about all its attempts at once and hears of each whether it may go on', async () => {
  await using fixture = await relayFixture()
  const [going, replaced, stopped, decided] = await Promise.all([1, 2, 3, 4].map(() => fixture.running()))
  await fixture.claim(replaced!)
  await fixture.relay.cancel(stopped!.id, cancelled())
  await fixture.relay.prepare(decided!.id, 1, completed())

  const ids = [going, replaced, stopped, decided].map((job) => job!.id)
  const states = await fixture.relay.check([...ids, newCompletionId()].map((id) => ({ id, epoch: 1 })))

  expect(states.map(({ said }) => said)).toEqual(['emitted', 'stale', 'cancelled', 'stale', 'stale'])
})
