import { z } from 'zod'

/** Marks the end of a prefix that a backend may keep, for so long at least: what follows the mark is not part of it. */
export const CacheMark = z.object({ ttl: z.enum(['5m', '30m', '1h', '12h']).optional() })
export type CacheMark = z.infer<typeof CacheMark>

const marked = { cache: CacheMark.optional() }

/** Where bytes come from: an address that somebody has to fetch, or the bytes themselves. */
export const Source = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('url'), url: z.string() }),
  z.object({ kind: z.literal('base64'), mediaType: z.string(), data: z.string() }),
])
export type Source = z.infer<typeof Source>

export const TextPart = z.object({ type: z.literal('text'), text: z.string(), ...marked })
export type TextPart = z.infer<typeof TextPart>

export const ImagePart = z.object({
  type: z.literal('image'),
  source: Source,
  detail: z.enum(['auto', 'low', 'high', 'original']).optional(),
  ...marked,
})
export type ImagePart = z.infer<typeof ImagePart>

export const AudioPart = z.object({
  type: z.literal('audio'),
  format: z.enum(['wav', 'mp3']),
  data: z.string(),
  ...marked,
})
export type AudioPart = z.infer<typeof AudioPart>

export const FilePart = z.object({
  type: z.literal('file'),
  source: z.discriminatedUnion('kind', [...Source.options, z.object({ kind: z.literal('text'), text: z.string() })]),
  name: z.string().optional(),
  ...marked,
})
export type FilePart = z.infer<typeof FilePart>

/** What a model said instead of an answer. */
export const RefusalPart = z.object({ type: z.literal('refusal'), text: z.string() })
export type RefusalPart = z.infer<typeof RefusalPart>

/** What a model thought before it spoke. The signature lets its vendor take it back as its own. */
export const ReasoningPart = z.object({
  type: z.literal('reasoning'),
  text: z.string(),
  signature: z.string().optional(),
})
export type ReasoningPart = z.infer<typeof ReasoningPart>

/** Reasoning that only its vendor can read. */
export const RedactedReasoningPart = z.object({ type: z.literal('redacted_reasoning'), data: z.string() })
export type RedactedReasoningPart = z.infer<typeof RedactedReasoningPart>

/** A function takes JSON, a custom tool takes any text; `arguments` is that text as the model wrote it. */
export const ToolKind = z.enum(['function', 'custom'])
export type ToolKind = z.infer<typeof ToolKind>

export const ToolCallPart = z.object({
  type: z.literal('tool_call'),
  id: z.string(),
  kind: ToolKind,
  name: z.string(),
  arguments: z.string(),
  ...marked,
})
export type ToolCallPart = z.infer<typeof ToolCallPart>
