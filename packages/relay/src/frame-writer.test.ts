import { newCompletionId } from '@weir/contracts'
import { onTestFinished, expect, test, vi } from 'vitest'
import { type FrameWriterOptions, createFrameWriter } from './frame-writer.ts'
import type { Frame } from './encoding.ts'
import type { Emitted } from './relay.ts'
import { textChunk } from './testing/jobs.ts'

const INTERVAL_MS = 25

/** A frame writer whose Redis is played; its time stands still until the test moves it. */
function writerFixture(options: Partial<FrameWriterOptions> & { emit?: (frame: Frame) => Promise<Emitted> } = {}) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const frames: Frame[] = []
  const emit = vi.fn(options.emit ?? (async () => 'emitted' as const))
  const told = { onRefused: vi.fn(), onLost: vi.fn() }
  const relay = {
    async emit(_: unknown, frame: Frame) {
      const said = await emit(frame)
      frames.push(frame)
      return said
    },
  }
  const attempt = { id: newCompletionId(), epoch: 4 }
  const settings = { intervalMs: INTERVAL_MS, frameBytes: 10, patienceMs: 1_000, ...told, ...options }
  const writer = createFrameWriter(relay, attempt, settings)
  return {
    ...writer,
    ...told,
    emit,
    frames,
    say: (text: string) => writer.write(textChunk(text)),
    texts: () =>
      frames.map(({ chunks }) => chunks.map((chunk) => (chunk.type === 'text' ? chunk.text : '.')).join('|')),
  }
}

/** Lets what is under way finish, without any time passing. */
const settle = () => vi.advanceTimersByTimeAsync(0)

test('the first token leaves at once and those that follow are gathered', async () => {
  const writer = writerFixture()
  writer.say('a')
  await settle()
  writer.say('b')
  writer.say('c')
  await settle()
  expect(writer.texts()).toEqual(['a'])

  await vi.advanceTimersByTimeAsync(INTERVAL_MS)

  expect(writer.frames).toEqual([
    { epoch: 4, sequence: 1, chunks: [textChunk('a')] },
    { epoch: 4, sequence: 2, chunks: [textChunk('bc')] },
  ])
})

test('a frame that has grown large leaves before its time', async () => {
  const writer = writerFixture()
  writer.say('a')
  await settle()

  for (const text of ['12345', '67890', 'next']) writer.say(text)
  await settle()

  expect(writer.texts()).toEqual(['a', '1234567890'])
})

test('one frame is under way at a time, so a slow Redis makes frames larger and keeps their order', async () => {
  const answers: ((said: Emitted) => void)[] = []
  const writer = writerFixture({ emit: () => new Promise((resolve) => answers.push(resolve)) })
  for (const text of ['one ', 'two ', 'three ', 'four ']) writer.say(text)
  await vi.advanceTimersByTimeAsync(10 * INTERVAL_MS)
  expect(writer.emit).toHaveBeenCalledTimes(1)

  answers[0]!('emitted')
  await settle()
  answers[1]!('emitted')
  await settle()

  expect(writer.texts()).toEqual(['one ', 'two three four '])
})

test('chunks of several choices keep their order in a frame', async () => {
  const writer = writerFixture()
  writer.say('first')
  await settle()
  writer.write(textChunk('a', 0))
  writer.write(textChunk('b', 1))
  writer.write(textChunk('c', 0))
  writer.write({ type: 'finish', choice: 0, reason: 'stop' })

  await writer.flush()

  expect(writer.texts()).toEqual(['first', 'a|b|c|.'])
})

test('a backend is told to wait when Redis is far behind, and only then', async () => {
  let answer = (_: Emitted) => {}
  const writer = writerFixture({ emit: () => new Promise((resolve) => (answer = resolve)) })
  writer.say('first')

  expect(writer.say('x'.repeat(262_144))).toBeUndefined()
  const behind = writer.say('y')
  expect(behind).toBeInstanceOf(Promise)

  answer('emitted')
  await behind
  expect(writer.emit).toHaveBeenCalledTimes(2)
})

test('a flush ends when all that was gathered is written', async () => {
  const writer = writerFixture()
  for (const text of ['a', 'b', 'c']) writer.say(text)

  await writer.flush()

  expect(writer.texts()).toEqual(['a', 'bc'])
})

test('a flush with nothing to write ends at once', async () => {
  const writer = writerFixture()

  await writer.flush()

  expect(writer.emit).not.toHaveBeenCalled()
})

test('a frame is repeated under its own number while Redis is away', async () => {
  const away = new Error('Connection is closed.')
  const writer = writerFixture()
  writer.emit.mockRejectedValueOnce(away).mockRejectedValueOnce(away)
  writer.say('a')
  writer.say('b')
  await vi.advanceTimersByTimeAsync(500)

  expect(writer.emit.mock.calls.map(([{ sequence }]) => sequence)).toEqual([1, 1, 1, 2])
  expect(writer.texts()).toEqual(['a', 'b'])
  expect(writer.onLost).not.toHaveBeenCalled()
})

test('an attempt is lost, once, when Redis stays away beyond its patience', async () => {
  const away = new Error('Connection is closed.')
  const writer = writerFixture({ emit: () => Promise.reject(away) })
  writer.say('a')
  await vi.advanceTimersByTimeAsync(2_000)
  const tries = writer.emit.mock.calls.length

  writer.say('b')
  await vi.advanceTimersByTimeAsync(2_000)

  expect(writer.onLost.mock.calls).toEqual([[away]])
  expect(writer.emit).toHaveBeenCalledTimes(tries)
  await expect(writer.flush()).rejects.toBe(away)
})

test.each(['stale', 'cancelled'] as const)('an attempt that is %s hears so from its frame', async (said) => {
  const writer = writerFixture({ emit: async () => said })
  writer.say('a')
  await writer.flush()

  expect(writer.onRefused.mock.calls).toEqual([[said]])
  expect(writer.onLost).not.toHaveBeenCalled()
})
