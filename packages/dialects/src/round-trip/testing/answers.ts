import type { AnswerPart, ChoiceChunk, ChoiceResult, Usage } from '@weir/contracts'
import fc from 'fast-check'
import { jsonObject, name, object, text } from './arbitraries.ts'

const is = <const Value>(value: Value) => fc.constant(value)

const said = object({ type: is('text'), text })
const call = object({
  type: is('tool_call'),
  kind: is('function'),
  id: name,
  name,
  arguments: jsonObject.map((input) => JSON.stringify(input)),
})
const signed = object({ type: is('reasoning'), text, signature: text })
const redacted = object({ type: is('redacted_reasoning'), data: text })

/** How an answer ends, given whether it calls a tool: a call that is whole is never ended by `stop`. */
const endOf = (calls: boolean) =>
  fc.oneof(
    object({ finishReason: is(calls ? 'tool_calls' : 'stop') }),
    object({ finishReason: fc.constantFrom('length', 'content_filter') }),
  ) as fc.Arbitrary<Pick<ChoiceResult, 'finishReason'>>

const choiceOf = (parts: AnswerPart[], index: number) =>
  endOf(parts.some(({ type }) => type === 'tool_call')).map((end): ChoiceResult => ({ index, parts, ...end }))

/** Parts of one kind that follow each other are one. */
const isApart = (parts: AnswerPart[]) => parts.every(({ type }, i) => type !== 'text' || parts[i - 1]?.type !== 'text')

/** An answer as Anthropic's models give it: blocks in any order. */
export const blocks = fc
  .array(fc.oneof(said, call, signed, redacted) as fc.Arbitrary<AnswerPart>, { maxLength: 5 })
  .filter(isApart)
  .chain((parts) =>
    fc.oneof(
      choiceOf(parts, 0),
      parts.some(({ type }) => type === 'tool_call')
        ? choiceOf(parts, 0)
        : text.map((stopSequence): ChoiceResult => ({ index: 0, parts, finishReason: 'stop', stopSequence })),
    ),
  )
  .filter(({ parts }) => parts.length > 0)

/** An answer as OpenAI's models give it: reasoning, text, calls. */
const fields = fc
  .tuple(fc.option(object({ type: is('reasoning'), text })), fc.option(said), fc.array(call, { maxLength: 3 }))
  .map(
    ([reasoning, spoken, calls]) =>
      [...(reasoning ? [reasoning] : []), ...(spoken ? [spoken] : []), ...calls] as AnswerPart[],
  )
  .filter((parts) => parts.length > 0)

export const choices = fc
  .array(fields, { minLength: 1, maxLength: 3 })
  .chain((each) => fc.tuple(...each.map(choiceOf)) as fc.Arbitrary<ChoiceResult[]>)

const count = fc.nat(100_000)
export const usage: fc.Arbitrary<Usage> = fc
  .record({ inputTokens: count, cached: count, written: count, outputTokens: count, reasoning: count })
  .filter((each) => Object.values(each).some((tokens) => tokens > 0))
  .map(({ inputTokens, outputTokens, cached, written, reasoning }) => ({
    inputTokens,
    cachedInputTokens: cached,
    ...(written > 0 && { cacheWriteTokens: written }),
    outputTokens,
    ...(reasoning > 0 && { reasoningTokens: reasoning }),
    source: 'reported',
  }))

/** The same chunks with their texts cut into pieces of so many characters. */
export function inPieces(chunks: readonly ChoiceChunk[], size: number): ChoiceChunk[] {
  return chunks.flatMap((chunk): ChoiceChunk[] => {
    if (!('text' in chunk) || chunk.type === 'signature') return [chunk]
    const characters = [...chunk.text]
    const pieces = Math.max(1, Math.ceil(characters.length / size))
    return Array.from({ length: pieces }, (_, i) => ({
      ...chunk,
      text: characters.slice(i * size, (i + 1) * size).join(''),
    }))
  })
}

/** The events of a stream as a parser of server-sent events hands them on. */
export const eventsIn = (rendered: readonly string[]) =>
  rendered.map((event) => {
    const [, name, data = ''] = /^(?:event: (\w+)\n)?data: ([^\n]*)\n\n$/.exec(event) ?? []
    return { ...(name === undefined ? {} : { event: name }), data }
  })
