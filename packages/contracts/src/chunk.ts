import { z } from 'zod'
import { Usage } from './usage.ts'

export const FinishReason = z.enum(['stop', 'length', 'content_filter'])
export type FinishReason = z.infer<typeof FinishReason>

export const TextChunk = z.object({ type: z.literal('text'), choice: z.int().nonnegative(), text: z.string() })
export type TextChunk = z.infer<typeof TextChunk>

/** What a backend yields, in order: text of a choice, the end of a choice, and at most one usage. */
export const Chunk = z.discriminatedUnion('type', [
  TextChunk,
  z.object({ type: z.literal('finish'), choice: z.int().nonnegative(), reason: FinishReason }),
  z.object({ type: z.literal('usage'), usage: Usage }),
])
export type Chunk = z.infer<typeof Chunk>
