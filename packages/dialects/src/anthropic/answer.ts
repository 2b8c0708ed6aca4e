import { type AnswerPart, type ChoiceResult, type FinishReason } from '@weir/contracts'
import type { AnswerHead, Bill } from '../dialect.ts'
import { inputOf } from './tool-input.ts'
import { renderUsage } from './usage.ts'

/** A whole answer. This API knows one choice, which is the first. */
export function renderAnswer(head: AnswerHead, choices: readonly ChoiceResult[], bill: Bill) {
  const choice = choices.find(({ index }) => index === 0)
  const content = choice?.parts.flatMap(blocksOf) ?? []
  return {
    ...messageOf(head),
    content,
    ...(choice ? stopOf(choice, saidIn(choice.parts)) : notStopped),
    usage: renderUsage(bill),
  }
}

/** What every message repeats, in the order in which the API writes it. */
export const messageOf = ({ id, model }: AnswerHead) => ({
  id,
  type: 'message' as const,
  role: 'assistant' as const,
  model,
})

/** An answer that is not at its end, or of which nothing has come yet. */
export const notStopped = { stop_reason: null, stop_sequence: null, stop_details: null }

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  context_window: 'model_context_window_exceeded',
} as const satisfies Record<FinishReason, string>

export type Said = { refused: boolean; called: boolean }

/** A refusal ends as one, and so does a call: other vendors say no more than `stop` of the one, and of a call that was forced. */
export function stopOf(
  { finishReason, stopSequence }: Pick<ChoiceResult, 'finishReason' | 'stopSequence'>,
  said: Said,
) {
  const isPlain = finishReason === 'stop'
  const reason =
    isPlain && stopSequence !== undefined
      ? 'stop_sequence'
      : isPlain && said.refused
        ? 'refusal'
        : isPlain && said.called
          ? 'tool_use'
          : stopReasons[finishReason]
  return { stop_reason: reason, stop_sequence: stopSequence ?? null, stop_details: null }
}

const saidIn = (parts: readonly AnswerPart[]): Said => ({
  refused: parts.some(({ type }) => type === 'refusal'),
  called: parts.some(({ type }) => type === 'tool_call'),
})

/** Text without `citations`: null there makes one of the clients fail. Empty text is none, for it could not be sent back. */
function blocksOf(part: AnswerPart): object[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'reasoning':
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ?? '' }]
    case 'redacted_reasoning':
      return [{ type: 'redacted_thinking', data: part.data }]
    case 'tool_call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: inputOf(part.arguments) }]
  }
}
