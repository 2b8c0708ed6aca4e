import { expect, test, vi } from 'vitest'
import { completed, streamJob } from './testing/jobs.ts'
import { repliesFixture } from './testing/relay-fixture.ts'
import { everyFrameTo, never, told } from './testing/watching.ts'

test('a watcher is told every frame in order and then the end', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), fixture.channel)
  using watch = fixture.watch(job.id)
  const events = told(watch.events(never()))

  for (const sequence of [1, 2, 3]) await fixture.emit(job, sequence)
  await fixture.relay.conclude(job.id, completed())

  expect(await events).toBe(everyFrameTo(3))
})

test('several watchers of one completion are told the same', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), fixture.channel)
  using first = fixture.watch(job.id)
  using second = fixture.watch(job.id)
  const events = [first, second].map((watch) => told(watch.events(never())))

  for (const sequence of [1, 2]) await fixture.emit(job, sequence)
  await fixture.relay.conclude(job.id, completed())

  expect(await Promise.all(events)).toEqual([everyFrameTo(2), everyFrameTo(2)])
})

test('one watcher leaves and the other goes on', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), fixture.channel)
  using staying = fixture.watch(job.id)
  fixture.watch(job.id)[Symbol.dispose]()

  await fixture.emit(job, 1)
  await fixture.relay.conclude(job.id, completed())

  expect(await told(staying.events(never()))).toBe(everyFrameTo(1))
})

test('a subscriber that is cut off again and again while frames flow misses none', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), fixture.channel)
  using watch = fixture.watch(job.id)
  const events = told(watch.events(never()))

  let cuts: Promise<void> = Promise.resolve()
  for (let sequence = 1; sequence <= 2_000; sequence++) {
    if (sequence % 400 === 0) cuts = cuts.then(() => fixture.cutSubscriber())
    await fixture.emit(job, sequence)
  }
  await fixture.relay.conclude(job.id, completed())
  await cuts

  expect(await events).toBe(everyFrameTo(2_000))
})

test('an end whose message was lost is found all the same', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), 'a replica that is gone')
  using watch = fixture.watch(job.id)
  const events = told(watch.events(never()))

  await fixture.emit(job, 1)
  await fixture.relay.conclude(job.id, completed())

  expect(await events).toBe(everyFrameTo(1))
})

test('a replica that was cut off looks into Redis for those who still wait, and for nobody else', async () => {
  await using fixture = await repliesFixture()
  const looks = vi.spyOn(fixture.relay, 'recordOf')
  const [gone, waiting] = [streamJob(), streamJob()]
  const left = fixture.watch(gone.id)
  void left.events(never()).next()
  left[Symbol.dispose]()
  using watch = fixture.watch(waiting.id)
  const first = watch.events(never()).next()

  await fixture.cutSubscriber()

  expect(await first).toMatchObject({ value: { kind: 'lost' } })
  expect(looks.mock.calls).toEqual([[waiting.id]])
})

test('answers come through to the letter, whatever is in them', async () => {
  await using fixture = await repliesFixture()
  const text = 'a\nframe\nb\r\n\u2028\u2029\0 "quoted" \\n 🌊 👩‍👩‍👧 \ud83c'
  const job = await fixture.running(streamJob(), fixture.channel)
  using watch = fixture.watch(job.id)
  const outcome = {
    ...completed(),
    choices: [{ index: 0, parts: [{ type: 'text' as const, text }], finishReason: 'stop' as const }],
  }
  const events = Array.fromAsync(watch.events(never()))

  const frame = { epoch: 1, sequence: 1, chunks: [{ type: 'text' as const, choice: 0, text }] }
  await fixture.relay.emit(job.id, frame)
  await fixture.relay.conclude(job.id, outcome)

  expect(await events).toEqual([
    { kind: 'frame', frame },
    { kind: 'end', outcome },
  ])
})

test('a message that cannot be read is reported, and the watcher is told the truth from Redis', async () => {
  await using fixture = await repliesFixture()
  const job = await fixture.running(streamJob(), fixture.channel)
  using watch = fixture.watch(job.id)
  const events = told(watch.events(never()))

  await fixture.redis.publish(fixture.channel, `frame\n${job.id}\n1-1\n[{"type":"from a newer version"}]`)
  await fixture.emit(job, 1)
  await fixture.relay.conclude(job.id, completed())

  expect(await events).toBe(everyFrameTo(1))
  expect(fixture.errors).toHaveLength(1)
})
