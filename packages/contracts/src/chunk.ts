import { z } from 'zod'
import { ToolKind } from './content.ts'
import { Usage } from './usage.ts'

/** `context_window`: prompt and answer have filled the model's context. `stop` covers stop sequences. */
export const FinishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'context_window'])
export type FinishReason = z.infer<typeof FinishReason>

const Likely = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() }

/** A token with the logarithm of its probability, and those that were likely in its place. */
export const TokenLogprob = z.object({ ...Likely, top: z.array(z.object(Likely)) })
export type TokenLogprob = z.infer<typeof TokenLogprob>

const choice = z.int().nonnegative()

export const TextChunk = z.object({
  type: z.literal('text'),
  choice,
  text: z.string(),
  logprobs: z.array(TokenLogprob).optional(),
})
export type TextChunk = z.infer<typeof TextChunk>

/** `call` counts the tool calls of a choice from 0. */
const call = z.int().nonnegative()

/**
 * What a backend yields, in order: pieces of a choice, the end of a choice, and usage, the last of which counts. Text,
 * refusals, reasoning and arguments come in pieces; a tool call is named before its arguments.
 */
export const Chunk = z.discriminatedUnion('type', [
  TextChunk,
  z.object({ type: z.literal('refusal'), choice, text: z.string() }),
  z.object({ type: z.literal('reasoning'), choice, text: z.string() }),
  z.object({ type: z.literal('signature'), choice, text: z.string() }),
  z.object({ type: z.literal('redacted_reasoning'), choice, data: z.string() }),
  z.object({ type: z.literal('tool_call'), choice, call, id: z.string(), kind: ToolKind, name: z.string() }),
  z.object({ type: z.literal('arguments'), choice, call, text: z.string() }),
  z.object({
    type: z.literal('finish'),
    choice,
    reason: FinishReason,
    /** Which of the request's stop sequences ended it, where the backend tells. */
    stopSequence: z.string().optional(),
  }),
  z.object({
    type: z.literal('usage'),
    usage: Usage,
    /** Told before the answer was whole: what an answer that is broken off has used, as far as anybody knows. */
    soFar: z.literal(true).optional(),
  }),
])
export type Chunk = z.infer<typeof Chunk>

/** All that belongs to a choice. */
export type ChoiceChunk = Exclude<Chunk, { type: 'usage' }>

/** The two as one, where the second only goes on with what the first began; undefined where it does not. */
export function joined(first: Chunk, second: Chunk): Chunk | undefined {
  if (first.type === 'text' && second.type === 'text' && first.choice === second.choice) {
    const text = first.text + second.text
    if (!first.logprobs && !second.logprobs) return { ...first, text }
    return { ...first, text, logprobs: [...(first.logprobs ?? []), ...(second.logprobs ?? [])] }
  }
  if (first.type === 'arguments' && second.type === 'arguments') {
    const isSame = first.choice === second.choice && first.call === second.call
    return isSame ? { ...first, text: first.text + second.text } : undefined
  }
  if ((first.type === 'reasoning' || first.type === 'refusal') && second.type === first.type) {
    return first.choice === second.choice ? { ...first, text: first.text + second.text } : undefined
  }
  return undefined
}

/** About how much room a chunk takes, in characters. */
export function weightOf(chunk: Chunk): number {
  switch (chunk.type) {
    case 'text':
      return chunk.text.length + 60 * (chunk.logprobs?.length ?? 0)
    case 'refusal':
    case 'reasoning':
    case 'signature':
    case 'arguments':
      return chunk.text.length
    case 'redacted_reasoning':
      return chunk.data.length
    default:
      return 16
  }
}
