import type { Chunk } from '@weir/contracts'
import { type Fields, fieldsOf, listOf, textIn } from '../fields.ts'
import { createCallReader } from './call-reader.ts'
import { finishReasonOf } from './finish-reason.ts'
import { readLogprobs } from './logprobs.ts'
import { createWholeCharacters } from './whole-characters.ts'

export type ChoiceReader = ReturnType<typeof createChoiceReader>

/** Reads one choice, from its deltas or from its whole message. What follows its finish is no part of it. */
export function createChoiceReader(choice: number) {
  const calls = createCallReader(choice)
  const characters = {
    text: createWholeCharacters(),
    reasoning: createWholeCharacters(),
    refusal: createWholeCharacters(),
  }
  let isBegun = false
  let isFinished = false

  function say(type: 'reasoning' | 'refusal', text: string, chunks: Chunk[]): void {
    if (text !== '') chunks.push({ type, choice, text })
  }

  function readSaid(said: Fields, isWhole: boolean, logprobs: unknown, chunks: Chunk[]) {
    say('reasoning', characters.reasoning.add(reasoningIn(said)), chunks)
    const text = characters.text.add(contentIn(said['content']))
    const tokens = logprobs ? readLogprobs(logprobs) : []
    if (tokens.length > 0) chunks.push({ type: 'text', choice, text, logprobs: tokens })
    else if (text !== '') chunks.push({ type: 'text', choice, text })
    say('refusal', characters.refusal.add(textIn(said['refusal'])), chunks)
    return said['tool_calls'] || said['function_call'] ? calls.read(said, isWhole, chunks) : 'read'
  }

  function end(chunks: Chunk[]): void {
    say('reasoning', characters.reasoning.rest(), chunks)
    const text = characters.text.rest()
    if (text !== '') chunks.push({ type: 'text', choice, text })
    say('refusal', characters.refusal.rest(), chunks)
    calls.end(chunks)
  }

  return {
    /** Adds the chunks of one piece; whether the choice has failed. */
    read(fields: Fields, chunks: Chunk[]): 'failed' | 'too many calls' | 'read' {
      if (isFinished) return 'read'
      // Servers that do not stream all answers send some as a whole message.
      const delta = fieldsOf(fields['delta'])
      const said = delta ?? (isBegun ? undefined : fieldsOf(fields['message']))
      const before = chunks.length
      if (said && readSaid(said, !delta, fields['logprobs'], chunks) === 'too many calls') return 'too many calls'
      isBegun ||= chunks.length > before

      const reason = finishReasonOf(fields['finish_reason'], calls.hasCalls)
      if (reason === 'failed') return 'failed'
      if (!reason) return 'read'
      isFinished = true
      end(chunks)
      // vLLM tells which sequence it was; for others it is the id of a token.
      const stopSequence = fields['stop_reason']
      const isTold = reason === 'stop' && typeof stopSequence === 'string'
      chunks.push({ type: 'finish', choice, reason, ...(isTold && { stopSequence }) })
      return 'read'
    },
    get isFinished(): boolean {
      return isFinished
    },
  }
}

/** Text is a string, and with Mistral a list of parts, reasoning among them. */
function contentIn(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => textIn(fieldsOf(part)?.['text'])).join('')
}

/** Reasoning under each of its names; whoever sends it under two sends it twice. */
function reasoningIn(said: Fields): string {
  const text = textIn(said['reasoning_content']) || textIn(said['reasoning'])
  if (text !== '') return text
  if (Array.isArray(said['content'])) return said['content'].map(thoughtIn).join('')
  const details = said['reasoning_details']
  if (!Array.isArray(details)) return ''
  return details.map((each) => textIn(fieldsOf(each)?.['text']) || textIn(fieldsOf(each)?.['summary'])).join('')
}

function thoughtIn(part: unknown): string {
  const thinking = fieldsOf(part)?.['thinking']
  return typeof thinking === 'string' ? thinking : contentIn(listOf(thinking))
}
