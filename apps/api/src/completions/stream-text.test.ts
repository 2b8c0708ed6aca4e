import { type Chunk, type Outcome, newCompletionId, noUsage } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { expect, test } from 'vitest'
import { type StreamOptions, createStreamText } from './stream-text.ts'

const id = newCompletionId()
const streamText = (options: Partial<StreamOptions> = {}) =>
  createStreamText({ id, model: 'fast', dialect: openai.dialect, includeUsage: false, after: 0, ...options })

const text = (content: string, choice = 0): Chunk => ({ type: 'text', choice, text: content })
const finish: Chunk = { type: 'finish', choice: 0, reason: 'stop' }
const completed: Outcome = {
  state: 'completed',
  usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, source: 'reported' },
  cost: 7n,
  choices: [{ index: 0, parts: [{ type: 'text', text: 'Water bends.' }], finishReason: 'stop' }],
}
const failed: Outcome = {
  state: 'failed',
  usage: noUsage,
  cost: 0n,
  choices: [],
  error: { code: 'stream_interrupted', message: 'Interrupted.' },
}

/** The numbers of all events in a text, which must be whole events. */
const idsIn = (rendered: string): number[] =>
  rendered
    .split('\n\n')
    .slice(0, -1)
    .map((event) => Number(/^id: (\d+)\ndata: .+$/.exec(event)![1]))

/** All that a stream of two frames says, to somebody who has events up to `after`. */
function whole(options: Partial<StreamOptions> = {}, outcome = completed): string {
  const stream = streamText(options)
  return (
    stream.frame({ epoch: 1, chunks: [text('Water')] }) +
    stream.frame({ epoch: 1, chunks: [text(' bends'), text('.'), finish] }) +
    stream.end(outcome)
  )
}

test('the events of a stream are numbered from 1, the last one included', () => {
  // Role, three texts, finish, [DONE].
  expect(idsIn(whole())).toEqual([1, 2, 3, 4, 5, 6])
  expect(idsIn(whole({ includeUsage: true }))).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(whole()).toMatch(/id: 6\ndata: \[DONE\]\n\n$/)
})

test('whoever has a part gets exactly the rest', () => {
  const events = whole({ includeUsage: true }).split(/(?<=\n\n)/)

  for (let after = 0; after <= events.length; after++)
    expect(whole({ includeUsage: true, after })).toBe(events.slice(after).join(''))
})

test('an error is an event like the others, and nothing follows it', () => {
  const broken = whole({}, failed)

  expect(idsIn(broken)).toEqual([1, 2, 3, 4, 5, 6])
  expect(broken).toContain(`id: 6\ndata: {"error":{"message":"Interrupted."`)
  expect(broken).toContain(`"completion_id":"${id}"`)
  expect(broken).not.toContain('[DONE]')
})

test('frames are numbered alike however their text was cut into frames', () => {
  const stream = streamText()
  const chunks = [text('Water'), text(' bends'), text('.'), finish]

  expect(stream.frame({ epoch: 1, chunks }) + stream.end(completed)).toBe(whole())
})

test('each choice is begun once, by its role', () => {
  const stream = streamText()

  const rendered = stream.frame({ epoch: 1, chunks: [text('a'), text('b', 1), text('c'), text('d', 1)] })

  expect(rendered.match(/"role":"assistant"/g)).toHaveLength(2)
  expect(idsIn(rendered)).toEqual([1, 2, 3, 4, 5, 6])
})

test('an answer of which nothing was told is told at its end, whole', () => {
  const rendered = streamText().end(completed)

  expect(idsIn(rendered)).toEqual([1, 2, 3, 4])
  expect(rendered).toContain('"content":"Water bends."')
  expect(rendered).toContain('"finish_reason":"stop"')
})

test('a completion that begins anew after a loss has other numbers, which continue nothing of before', () => {
  const again = { epoch: 5_001, chunks: [text('Fire')] }
  const first = streamText()

  expect(idsIn(first.frame(again))).toEqual([5_000_001, 5_000_002])
  expect(first.hasGone(again)).toBe(false)
  expect(streamText({ after: 3 }).hasGone(again)).toBe(true)
  expect(streamText({ after: 5_000_001 }).hasGone(again)).toBe(false)
  expect(streamText({ after: 5_000_001 }).hasGone({ epoch: 1 })).toBe(true)
})

test('a second attempt continues the numbers of the first, which had said nothing', () => {
  expect(streamText({ after: 2 }).hasGone({ epoch: 2 })).toBe(false)
  expect(idsIn(streamText().frame({ epoch: 2, chunks: [text('Water')] }))).toEqual([1, 2])
})
