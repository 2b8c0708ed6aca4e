import { type Chunk, type ChoiceChunk, type ChoiceResult, chunksOf, gather, noUsage } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStreamRenderer, renderAnswer } from './answer.ts'
import { createEventReader } from './event-reader.ts'
import { fromCanonical } from './from-canonical.ts'
import { readAnswer } from './read-answer.ts'
import { ChatCompletionRequest, withoutNulls } from './request.ts'
import { anyBody, anyChoices } from './testing/arbitraries.ts'
import { toCanonical } from './to-canonical.ts'

const head = { id: 'chatcmpl_1', created: 1, model: 'fast' }
const bill = { usage: { ...noUsage, inputTokens: 3, outputTokens: 2 }, charged: 7n }
const overTheWire = (value: object): unknown => JSON.parse(JSON.stringify(value))

test('a request goes through the canonical one and comes back as it was', () => {
  fc.assert(
    fc.property(anyBody, (body) => {
      const draft = toCanonical(ChatCompletionRequest.parse(withoutNulls(body)))
      const back = fromCanonical(draft)
      expect(back).toEqual(body)
      expect(toCanonical(ChatCompletionRequest.parse(overTheWire(back)))).toEqual(draft)
    }),
    { numRuns: 100 },
  )
})

test('an answer is read as what it was rendered from', () => {
  fc.assert(
    fc.property(anyChoices, (choices) => {
      const read = readAnswer(overTheWire(renderAnswer(head, choices, bill)))
      expect(read).toEqual({ choices, usage: bill.usage })
    }),
    { numRuns: 100 },
  )
})

test('a stream is read as the chunks it was rendered from, however its choices take turns', () => {
  fc.assert(
    fc.property(anyChoices.chain(inTurns), fc.boolean(), ({ choices, chunks }, includeUsage) => {
      const renderer = createStreamRenderer(head, { includeUsage })
      const events = [...chunks.flatMap((chunk) => renderer.chunk(chunk)), ...renderer.end(bill)]
      const reader = createEventReader({ choices: choices.length })
      const read = events.flatMap((event) => reader.read({ data: event.slice('data: '.length, -2) }))

      expect(read).toEqual(includeUsage ? [...chunks, { type: 'usage', usage: bill.usage }] : chunks)
      expect(reader).toMatchObject({ finished: true, ended: true, failure: undefined })
      expect(gathered(read).sort((one, other) => one.index - other.index)).toEqual(choices)
    }),
    { numRuns: 100 },
  )
})

/** The chunks of all choices, shuffled without changing the order within a choice. */
const inTurns = (choices: ChoiceResult[]) =>
  fc.infiniteStream(fc.nat()).map((turns) => {
    const queues = choices.map((choice) => chunksOf([choice]))
    const chunks: ChoiceChunk[] = []
    for (const turn of turns) {
      const waiting = queues.filter((queue) => queue.length > 0)
      if (waiting.length === 0) break
      chunks.push(waiting[turn % waiting.length]!.shift()!)
    }
    return { choices, chunks }
  })

function gathered(chunks: readonly Chunk[]): ChoiceResult[] {
  const choices: ChoiceResult[] = []
  for (const chunk of chunks) if (chunk.type !== 'usage') gather(choices, chunk)
  return choices
}
