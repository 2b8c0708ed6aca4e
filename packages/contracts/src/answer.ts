import { z } from 'zod'
import { type ChoiceChunk, FinishReason, TokenLogprob } from './chunk.ts'
import { ReasoningPart, RedactedReasoningPart, RefusalPart, ToolKind } from './content.ts'

/** What a model answered, in the order in which it came. */
export const AnswerPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string(), logprobs: z.array(TokenLogprob).optional() }),
  RefusalPart,
  ReasoningPart,
  RedactedReasoningPart,
  z.object({ type: z.literal('tool_call'), id: z.string(), kind: ToolKind, name: z.string(), arguments: z.string() }),
])
export type AnswerPart = z.infer<typeof AnswerPart>

export const ChoiceResult = z.object({
  index: z.int(),
  parts: z.array(AnswerPart),
  finishReason: FinishReason,
  stopSequence: z.string().optional(),
})
export type ChoiceResult = z.infer<typeof ChoiceResult>

/** The text of an answer, without reasoning, refusals and tool calls. */
export const textOfAnswer = ({ parts }: Pick<ChoiceResult, 'parts'>): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

/** All that a model wrote in an answer, whatever it is: what its output tokens stand for. */
export const writtenIn = ({ parts }: Pick<ChoiceResult, 'parts'>): string => parts.map(writtenInPart).join('')

function writtenInPart(part: AnswerPart): string {
  if (part.type === 'tool_call') return part.name + part.arguments
  return part.type === 'redacted_reasoning' ? part.data : part.text
}

/** Adds a chunk to the choices it belongs to; the choice it went to. One that has not finished reads as if by `stop`. */
export function gather(choices: ChoiceResult[], chunk: ChoiceChunk): ChoiceResult {
  const choice = choiceAt(choices, chunk.choice)
  const { parts } = choice
  const last = parts.at(-1)
  switch (chunk.type) {
    case 'text': {
      const part = last?.type === 'text' ? last : added<Said<'text'>>(parts, { type: 'text', text: '' })
      part.text += chunk.text
      for (const each of chunk.logprobs ?? []) (part.logprobs ??= []).push(each)
      break
    }
    case 'refusal': {
      const part = last?.type === 'refusal' ? last : added<Said<'refusal'>>(parts, { type: 'refusal', text: '' })
      part.text += chunk.text
      break
    }
    case 'reasoning':
    case 'signature': {
      // A signature closes its piece of reasoning.
      const isOpen = last?.type === 'reasoning' && (last.signature === undefined || chunk.type === 'signature')
      const part = isOpen ? last : added<Said<'reasoning'>>(parts, { type: 'reasoning', text: '' })
      if (chunk.type === 'reasoning') part.text += chunk.text
      else part.signature = (part.signature ?? '') + chunk.text
      break
    }
    case 'redacted_reasoning':
      parts.push({ type: 'redacted_reasoning', data: chunk.data })
      break
    case 'tool_call': {
      const calls = callsOf(parts)
      const { id, kind, name } = chunk
      calls.push(added<Said<'tool_call'>>(parts, { type: 'tool_call', id, kind, name, arguments: '' }))
      break
    }
    case 'arguments': {
      const part = callsOf(parts)[chunk.call]
      if (part) part.arguments += chunk.text
      break
    }
    case 'finish':
      choice.finishReason = chunk.reason
      if (chunk.stopSequence !== undefined) choice.stopSequence = chunk.stopSequence
  }
  return choice
}

const gatheredCalls = new WeakMap<AnswerPart[], Said<'tool_call'>[]>()

/** The calls among parts that only `gather` adds to: found once, not again for each piece of their arguments. */
function callsOf(parts: AnswerPart[]): Said<'tool_call'>[] {
  let calls = gatheredCalls.get(parts)
  if (!calls) {
    calls = parts.filter((part) => part.type === 'tool_call')
    gatheredCalls.set(parts, calls)
  }
  return calls
}

function choiceAt(choices: ChoiceResult[], index: number): ChoiceResult {
  let choice = choices.find((each) => each.index === index)
  if (!choice) {
    choice = { index, parts: [], finishReason: 'stop' }
    choices.push(choice)
  }
  return choice
}

type Said<Type extends AnswerPart['type']> = Extract<AnswerPart, { type: Type }>

function added<Part extends AnswerPart>(parts: AnswerPart[], part: Part): Part {
  parts.push(part)
  return part
}

/** The chunks that would gather into these choices, each piece in one. */
export const chunksOf = (choices: readonly ChoiceResult[]): ChoiceChunk[] => choices.flatMap(chunksOfChoice)

function chunksOfChoice(result: ChoiceResult): ChoiceChunk[] {
  const { index: choice, parts, finishReason: reason, stopSequence } = result
  const chunks: ChoiceChunk[] = []
  let call = 0
  for (const part of parts) {
    switch (part.type) {
      case 'reasoning':
        chunks.push({ type: 'reasoning', choice, text: part.text })
        if (part.signature !== undefined) chunks.push({ type: 'signature', choice, text: part.signature })
        break
      case 'tool_call':
        chunks.push({ type: 'tool_call', choice, call, id: part.id, kind: part.kind, name: part.name })
        chunks.push({ type: 'arguments', choice, call, text: part.arguments })
        call += 1
        break
      default:
        chunks.push({ ...part, choice })
    }
  }
  return [...chunks, { type: 'finish', choice, reason, ...(stopSequence === undefined ? {} : { stopSequence }) }]
}
