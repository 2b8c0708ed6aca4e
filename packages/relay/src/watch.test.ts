import { expect, onTestFinished, test, vi } from 'vitest'
import { completed, streamJob, textChunk } from './testing/jobs.ts'
import { frameOf, relayFixture } from './testing/relay-fixture.ts'
import { everyFrameTo, never, told, wordOf } from './testing/watching.ts'
import type { Frame, ReplyMessage } from './encoding.ts'
import { EPOCHS_PER_SUBMISSION } from './relay.ts'
import { createWatch } from './watch.ts'

const { id } = streamJob()
const frameMessage = (sequence: number): ReplyMessage => ({ kind: 'frame', id, frame: frameOf(sequence), size: 100 })
const endMessage = (lastSequence: number): ReplyMessage => {
  return { kind: 'end', id, epoch: 1, lastSequence, outcome: completed(), size: 100 }
}

/** A watch whose replay stream and terminal record are played. */
function watchFixture(played: { frames?: Frame[]; ended?: boolean; bufferBytes?: number } = {}) {
  const { frames = [], ended = false, bufferBytes = 100_000 } = played
  const replayed = { frames, outcome: ended ? completed() : undefined }
  const looks = vi.fn()
  const relay = {
    recordOf: async () => ({
      outcome: replayed.outcome,
      epoch: 1,
      lastSequence: replayed.frames.at(-1)?.sequence ?? 0,
      includeUsage: false,
    }),
    async framesAfter(_: unknown, after: { sequence: number }, limit: number) {
      looks(after.sequence)
      return replayed.frames.filter(({ sequence }) => sequence > after.sequence).slice(0, limit)
    },
  }
  const onError = vi.fn()
  return { ...createWatch(relay, id, { bufferBytes, onError }), relay, replayed, looks, onError }
}

const framesTo = (last: number): Frame[] => Array.from({ length: last }, (_, i) => frameOf(i + 1))

test('live messages are told without a look into Redis', async () => {
  const watch = watchFixture()
  for (const sequence of [1, 2, 3]) watch.push(frameMessage(sequence))
  watch.push(endMessage(3))

  expect(await told(watch.events(never()))).toBe(everyFrameTo(3))
  expect(watch.looks).not.toHaveBeenCalled()
})

test('a message that comes twice is told once', async () => {
  const watch = watchFixture()
  for (const sequence of [1, 1, 2, 1, 2]) watch.push(frameMessage(sequence))
  watch.push(endMessage(2))

  expect(await told(watch.events(never()))).toBe(everyFrameTo(2))
})

test('a frame whose message was lost is fetched before the next one is told', async () => {
  const watch = watchFixture({ frames: framesTo(5) })
  for (const sequence of [1, 4, 5]) watch.push(frameMessage(sequence))
  watch.push(endMessage(5))

  expect(await told(watch.events(never()))).toBe(everyFrameTo(5))
  expect(watch.looks.mock.calls).toEqual([[1]])
})

test('the end is not told before the frames whose messages were lost', async () => {
  const watch = watchFixture({ frames: framesTo(250) })
  watch.push(frameMessage(1))
  watch.push(endMessage(250))

  expect(await told(watch.events(never()))).toBe(everyFrameTo(250))
})

test('a reader that is too slow is held little for, and served from the replay stream', async () => {
  const watch = watchFixture({ frames: framesTo(1_000), ended: true, bufferBytes: 1_000 })
  const held = new Set<number>()
  for (let sequence = 1; sequence <= 1_000; sequence++) {
    const message = frameMessage(sequence)
    // The watch looks at the kind of a message only when it takes it out of its buffer.
    watch.push(Object.defineProperty(message, 'kind', { get: () => (held.add(sequence), 'frame') }))
  }

  expect(await told(watch.events(never()))).toBe(everyFrameTo(1_000))
  expect(held.size).toBeLessThanOrEqual(10)
})

test('a message larger than the whole buffer is told all the same', async () => {
  const watch = watchFixture({ bufferBytes: 10 })
  watch.push(frameMessage(1))
  const events = watch.events(never())

  expect(wordOf((await events.next()).value!)).toBe('1')
})

test.each([
  ['a live frame', (watch: ReturnType<typeof watchFixture>) => watch.push(frameMessage(4))],
  ['the end', (watch: ReturnType<typeof watchFixture>) => watch.push(endMessage(3))],
  ['a look into Redis', (watch: ReturnType<typeof watchFixture>) => watch.resync()],
])('frames that are gone for good are a gap when %s shows it, never silence', async (_, happen) => {
  const watch = watchFixture({ frames: [frameOf(3)], ended: true })
  watch.push(frameMessage(1))

  happen(watch)

  expect(await told(watch.events(never()))).toBe('1 gap')
})

test('an end whose last frames have expired is a gap, never an answer that looks whole', async () => {
  const watch = watchFixture()
  watch.push(frameMessage(1))
  watch.push(endMessage(3))

  expect(await told(watch.events(never()))).toBe('1 gap')
})

test('a completion that ends while its watcher looks into Redis is told whole', async () => {
  const watch = watchFixture({ frames: framesTo(1) })
  vi.spyOn(watch.relay, 'framesAfter').mockImplementationOnce(async () => {
    watch.replayed.frames = framesTo(2)
    watch.replayed.outcome = completed()
    watch.resync()
    return framesTo(1)
  })

  watch.resync()

  expect(await told(watch.events(never()))).toBe(everyFrameTo(2))
})

test('a frame of another attempt does not continue what was told', async () => {
  const watch = watchFixture()
  watch.push(frameMessage(1))
  watch.push({ kind: 'frame', id, frame: { ...frameOf(2), epoch: 2 }, size: 100 })

  expect(await told(watch.events(never()))).toBe('1 gap')
})

test('Redis fails while frames are fetched and none is told twice or left out', async () => {
  const watch = watchFixture({ frames: framesTo(3) })
  const fetched = vi.spyOn(watch.relay, 'framesAfter').mockRejectedValueOnce(new Error('Connection is closed.'))
  watch.push(frameMessage(1))
  watch.push(frameMessage(3))
  const events = told(watch.events(never()))

  await vi.waitFor(() => expect(watch.onError).toHaveBeenCalledOnce())
  watch.push(endMessage(3))

  expect(await events).toBe(everyFrameTo(3))
  expect(fetched).toHaveBeenCalledTimes(2)
})

test('an abort while a watcher waits ends its watching', async () => {
  const watch = watchFixture()
  const leaving = new AbortController()
  const events = told(watch.events(leaving.signal))

  leaving.abort()

  expect(await events).toBe('')
})

test('an abort while a watcher handles a frame ends its watching without waiting for the next poll', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const watch = watchFixture()
  const leaving = new AbortController()
  watch.push(frameMessage(1))
  const words: string[] = []

  for await (const event of watch.events(leaving.signal)) {
    words.push(wordOf(event))
    leaving.abort()
  }

  expect(words).toEqual(['1'])
})

test('a watcher of a trimmed replay stream is told of the gap', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  for (const sequence of [1, 2, 3]) await fixture.emit(job, sequence)
  await fixture.redis.xtrim(fixture.keys.framesOf(job.id), 'MAXLEN', 1)
  const watch = createWatch(fixture.relay, job.id, { bufferBytes: 1_000, onError: () => {} })

  watch.resync()

  expect(await told(watch.events(never()))).toBe('gap')
})

test('a watcher is told when Redis has lost its completion, and goes on once it is handed over again', async () => {
  await using fixture = await relayFixture()
  const job = await fixture.running(streamJob())
  await fixture.relay.discard(job.id)
  const watch = createWatch(fixture.relay, job.id, { bufferBytes: 1_000, onError: () => {} })
  const events = watch.events(never())
  watch.resync()
  const lost = (await events.next()).value!

  await fixture.relay.submit(job, 'nobody', 1)
  const frame = { epoch: 1001, sequence: 1, chunks: [textChunk('again')] }
  await fixture.claim(job)
  await fixture.relay.emit(job.id, frame)
  await fixture.relay.conclude(job.id, completed())
  watch.resync()

  expect(lost).toEqual({ kind: 'lost' })
  expect(await told(events)).toBe(everyFrameTo(1))
})

test('the end of another submission is not taken for the end of what was seen', async () => {
  const watch = watchFixture()
  for (const sequence of [1, 2]) watch.push(frameMessage(sequence))
  watch.push({ ...endMessage(2), epoch: 1 + EPOCHS_PER_SUBMISSION } as ReplyMessage)

  expect(await told(watch.events(never()))).toBe(`${everyFrameTo(2).replace(/ end$/, '')} gap`)
})

test('frames that cannot be read end the watch, and are not asked for again', async () => {
  const watch = watchFixture()
  watch.relay.framesAfter = () => Promise.reject(new SyntaxError('Unexpected token'))
  watch.push(frameMessage(1))
  watch.push(frameMessage(3))

  expect(await told(watch.events(never()))).toBe('1 gap')
})

test('an end that is told of what Redis has lost since is looked for elsewhere by whoever has seen nothing', async () => {
  const watch = watchFixture()
  const relay = { ...watch.relay, recordOf: async () => undefined }
  const late = createWatch(relay, id, { bufferBytes: 100_000, onError: () => {} })
  late.push(endMessage(2))

  expect(await late.events(never()).next()).toEqual({ done: false, value: { kind: 'lost' } })
})
