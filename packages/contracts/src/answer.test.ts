import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AnswerPart, type ChoiceResult, chunksOf, gather, textOfAnswer, writtenIn } from './answer.ts'
import { type ChoiceChunk, FinishReason, type TokenLogprob, joined } from './chunk.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const likely = {
  token: text,
  logprob: fc.double({ max: 0, noNaN: true }),
  bytes: fc.option(fc.array(fc.nat(255), { maxLength: 3 })),
}
const logprob: fc.Arbitrary<TokenLogprob> = fc.record({ ...likely, top: fc.array(fc.record(likely), { maxLength: 2 }) })

const part: fc.Arbitrary<AnswerPart> = fc.oneof(
  fc.record(
    { type: fc.constant('text' as const), text, logprobs: fc.array(logprob, { minLength: 1, maxLength: 4 }) },
    { requiredKeys: ['type', 'text'] },
  ),
  fc.record({ type: fc.constant('refusal' as const), text }),
  fc.record({ type: fc.constant('reasoning' as const), text, signature: text }, { requiredKeys: ['type', 'text'] }),
  fc.record({ type: fc.constant('redacted_reasoning' as const), data: text }),
  fc.record({
    type: fc.constant('tool_call' as const),
    id: text,
    kind: fc.constantFrom('function' as const, 'custom' as const),
    name: text,
    arguments: text,
  }),
)

/** Two such parts side by side read as one. */
const flowsInto = (one: AnswerPart | undefined, other: AnswerPart): boolean =>
  one?.type === other.type &&
  (one.type === 'text' || one.type === 'refusal' || (one.type === 'reasoning' && one.signature === undefined))

const parts = fc.array(part, { maxLength: 6 }).map((all) => {
  const kept: AnswerPart[] = []
  for (const each of all) if (!flowsInto(kept.at(-1), each)) kept.push(each)
  return kept
})

const choice = (index: number): fc.Arbitrary<ChoiceResult> =>
  fc.record(
    {
      index: fc.constant(index),
      parts,
      finishReason: fc.constantFrom(...FinishReason.options),
      stopSequence: text,
    },
    { requiredKeys: ['index', 'parts', 'finishReason'] },
  )
const answer = fc.tuple(choice(0), choice(1), choice(2)).chain((all) => fc.subarray(all))

/** Draws again and again, for as long as a property asks. */
const draws = fc.infiniteStream(fc.nat())
type Draws = Iterator<number>
const drawn = (from: Draws, below: number): number => (from.next().value as number) % below

/** The same text in up to three pieces, torn anywhere: between the two halves of a character, too. */
function torn(from: Draws, whole: string): string[] {
  const [first = 0, second = 0] = [drawn(from, whole.length + 1), drawn(from, whole.length + 1)].toSorted(
    (a, b) => a - b,
  )
  return [whole.slice(0, first), whole.slice(first, second), whole.slice(second)]
}

/** The chunks of one choice as a backend might have sent them. */
const inPieces = (from: Draws, chunks: readonly ChoiceChunk[]): ChoiceChunk[] =>
  chunks.flatMap((chunk): ChoiceChunk[] => {
    if (!('text' in chunk)) return [chunk]
    const pieces = torn(from, chunk.text)
    if (chunk.type !== 'text' || !chunk.logprobs) return pieces.map((piece) => ({ ...chunk, text: piece }))
    const at = drawn(from, chunk.logprobs.length + 1)
    const logprobs = [chunk.logprobs.slice(0, at), undefined, chunk.logprobs.slice(at)]
    return pieces.map((piece, i) => ({ ...chunk, text: piece, logprobs: logprobs[i] }))
  })

/** Choices that come side by side, each in its own order. */
function inTurns(from: Draws, queues: ChoiceChunk[][]): ChoiceChunk[] {
  const chunks: ChoiceChunk[] = []
  for (;;) {
    const waiting = queues.filter((queue) => queue.length > 0)
    if (waiting.length === 0) return chunks
    chunks.push(waiting[drawn(from, waiting.length)]!.shift()!)
  }
}

const streamed = (choices: readonly ChoiceResult[], from: Draws): ChoiceChunk[] =>
  inTurns(
    from,
    choices.map((each) => inPieces(from, chunksOf([each]))),
  )

function gathered(chunks: readonly ChoiceChunk[], choices: ChoiceResult[] = []): ChoiceResult[] {
  for (const chunk of chunks) gather(choices, chunk)
  return choices
}
const inOrder = (choices: readonly ChoiceResult[]) => choices.toSorted((one, other) => one.index - other.index)
const partsOf = (...chunks: ChoiceChunk[]): AnswerPart[] => gathered(chunks)[0]!.parts

test('an answer is restored from its chunks', () => {
  fc.assert(
    fc.property(answer, (choices) => {
      expect(gathered(chunksOf(choices))).toEqual(choices)
    }),
  )
})

test('an answer is restored however its chunks are torn and its choices take turns', () => {
  fc.assert(
    fc.property(answer, draws, (choices, from) => {
      expect(inOrder(gathered(streamed(choices, from)))).toEqual(choices)
    }),
  )
})

test('chunks that were joined on their way gather alike', () => {
  fc.assert(
    fc.property(answer, draws, (choices, from) => {
      const fewer: ChoiceChunk[] = []
      for (const chunk of streamed(choices, from)) {
        const longer = fewer.length > 0 && joined(fewer.at(-1)!, chunk)
        if (longer) fewer[fewer.length - 1] = longer as ChoiceChunk
        else fewer.push(chunk)
      }
      expect(inOrder(gathered(fewer))).toEqual(choices)
    }),
  )
})

test('an answer that went through a store in the middle is gathered on', () => {
  fc.assert(
    fc.property(answer, draws, fc.nat(), (choices, from, at) => {
      const chunks = streamed(choices, from)
      const begun = gathered(chunks.slice(0, at % (chunks.length + 1)))
      const restored = structuredClone(begun)
      expect(inOrder(gathered(chunks.slice(at % (chunks.length + 1)), restored))).toEqual(choices)
    }),
  )
})

test('what is written stands for all tokens that were generated, and the text is what was said as such', () => {
  fc.assert(
    fc.property(answer, draws, (choices, from) => {
      const chunks = streamed(choices, from)
      for (const each of choices) {
        const own = chunks.filter((chunk) => chunk.choice === each.index)
        expect(writtenIn(each)).toBe(own.map(writtenInChunk).join(''))
        expect(textOfAnswer(each)).toBe(own.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join(''))
      }
    }),
  )
})

function writtenInChunk(chunk: ChoiceChunk): string {
  if (chunk.type === 'tool_call') return chunk.name
  if (chunk.type === 'redacted_reasoning') return chunk.data
  return 'text' in chunk && chunk.type !== 'signature' ? chunk.text : ''
}

test('a choice that has not finished reads as if the model had stopped, and the last word on its end counts', () => {
  const [open] = gathered([{ type: 'text', choice: 2, text: 'Half' }])
  expect(open).toEqual({ index: 2, parts: [{ type: 'text', text: 'Half' }], finishReason: 'stop' })

  gather([open!], { type: 'finish', choice: 2, reason: 'stop', stopSequence: '.' })
  expect(gather([open!], { type: 'finish', choice: 2, reason: 'length' })).toMatchObject({
    finishReason: 'length',
    stopSequence: '.',
  })
})

test('pieces of a kind flow together until another kind comes between', () => {
  const said = (type: 'text' | 'refusal' | 'reasoning', piece: string): ChoiceChunk => ({
    type,
    choice: 0,
    text: piece,
  })

  expect(partsOf(said('reasoning', 'a'), said('reasoning', 'b'), said('text', 'c'), said('reasoning', 'd'))).toEqual([
    { type: 'reasoning', text: 'ab' },
    { type: 'text', text: 'c' },
    { type: 'reasoning', text: 'd' },
  ])
  expect(partsOf(said('refusal', 'a'), said('refusal', 'b'), said('text', 'c'))).toEqual([
    { type: 'refusal', text: 'ab' },
    { type: 'text', text: 'c' },
  ])
})

test('a signature closes its piece of reasoning, and may come without any', () => {
  const thought = { type: 'reasoning', choice: 0, text: 'a' } as const
  const signature = { type: 'signature', choice: 0, text: 's' } as const

  expect(partsOf(thought, signature, signature, thought)).toEqual([
    { type: 'reasoning', text: 'a', signature: 'ss' },
    { type: 'reasoning', text: 'a' },
  ])
  expect(partsOf({ type: 'text', choice: 0, text: 'b' }, signature)).toEqual([
    { type: 'text', text: 'b' },
    { type: 'reasoning', text: '', signature: 's' },
  ])
})

test('arguments go to the call they name, whatever is said between, and to no call that was never named', () => {
  const named = (call: number): ChoiceChunk => ({
    type: 'tool_call',
    choice: 0,
    call,
    id: `${call}`,
    kind: 'function',
    name: 'f',
  })
  const piece = (call: number, of: string): ChoiceChunk => ({ type: 'arguments', choice: 0, call, text: of })
  const call = { type: 'tool_call', kind: 'function', name: 'f' }

  expect(
    partsOf(
      named(0),
      piece(0, '{"a'),
      { type: 'text', choice: 0, text: '…' },
      named(1),
      piece(1, '{}'),
      piece(0, '":1}'),
      piece(2, 'x'),
    ),
  ).toEqual([
    { ...call, id: '0', arguments: '{"a":1}' },
    { type: 'text', text: '…' },
    { ...call, id: '1', arguments: '{}' },
  ])
})
