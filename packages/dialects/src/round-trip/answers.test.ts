import { type Chunk, type ChoiceResult, type Usage, chunksOf, gather } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as anthropic from '../anthropic/index.ts'
import type { Dialect } from '../dialect.ts'
import * as openai from '../openai/index.ts'
import { blocks, choices, eventsIn, inPieces, usage } from './testing/answers.ts'

const head = { id: 'id_1', created: 1, model: 'fast' }
const pieces = fc.integer({ min: 1, max: 30 })

type Reader = ReturnType<typeof anthropic.createEventReader>
type Half = { dialect: Dialect; createEventReader: (options?: { choices: number }) => Reader }

/** What a client of the dialect, were it one of us, would gather from the stream of an answer. */
function throughStream({ dialect, createEventReader }: Half, answer: ChoiceResult[], used: Usage, size: number) {
  const renderer = dialect.createStreamRenderer(head, { includeUsage: true })
  const rendered = inPieces(chunksOf(answer), size).flatMap((chunk) => renderer.chunk(chunk))
  rendered.push(...renderer.end({ usage: used, charged: 1n }))

  const reader = createEventReader({ choices: answer.length })
  const chunks = eventsIn(rendered).flatMap((event) => reader.read(event))
  expect([reader.finished, reader.ended, reader.failure]).toEqual([true, true, undefined])
  return gathered(chunks)
}

function gathered(chunks: readonly Chunk[]) {
  const found: ChoiceResult[] = []
  let used: Usage | undefined
  for (const chunk of chunks) {
    if (chunk.type === 'usage') used = chunk.usage
    else gather(found, chunk)
  }
  return { choices: found.sort((a, b) => a.index - b.index), usage: used }
}

test('an answer streamed as messages events is read as the same answer', () => {
  fc.assert(
    fc.property(blocks, usage, pieces, (answer, used, size) => {
      expect(throughStream(anthropic, [answer], used, size)).toEqual({ choices: [answer], usage: used })
    }),
  )
})

test('an answer streamed as chat chunks is read as the same answer', () => {
  fc.assert(
    fc.property(choices, usage, pieces, (answer, used, size) => {
      expect(throughStream(openai, answer, used, size)).toEqual({ choices: answer, usage: used })
    }),
  )
})

test('a whole answer is read as the same answer in both dialects', () => {
  fc.assert(
    fc.property(blocks, usage, (answer, used) => {
      const body = JSON.parse(JSON.stringify(anthropic.renderAnswer(head, [answer], { usage: used, charged: 1n })))
      expect(anthropic.readAnswer(body)).toEqual({ choices: [answer], usage: used })
    }),
  )
  fc.assert(
    fc.property(choices, usage, (answer, used) => {
      const body = JSON.parse(JSON.stringify(openai.renderAnswer(head, answer, { usage: used, charged: 1n })))
      expect(openai.readAnswer(body)).toEqual({ choices: answer, usage: used })
    }),
  )
})

test('the same chunks always become the same events', () => {
  fc.assert(
    fc.property(blocks, usage, pieces, (answer, used, size) => {
      for (const { dialect } of [anthropic, openai]) {
        const [first, second] = [1, 2].map(() => {
          const renderer = dialect.createStreamRenderer(head, { includeUsage: true })
          const rendered = inPieces(chunksOf([answer]), size).flatMap((chunk) => renderer.chunk(chunk))
          return [...rendered, ...renderer.end({ usage: used, charged: 1n })]
        })
        expect(second).toEqual(first)
      }
    }),
  )
})

test('an answer that went through chat chunks is the same messages answer', () => {
  fc.assert(
    fc.property(choices, usage, pieces, ([answer], used, size) => {
      const { choices: read } = throughStream(openai, [answer!], used, size)
      expect(throughStream(anthropic, read, used, size).choices).toEqual([answer])
    }),
  )
})
