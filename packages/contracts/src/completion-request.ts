import { z } from 'zod'

export const TextPart = z.object({ type: z.literal('text'), text: z.string() })
export type TextPart = z.infer<typeof TextPart>

export const Message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(TextPart)]),
  name: z.string().optional(),
})
export type Message = z.infer<typeof Message>

/** The canonical request: what every dialect is read into and every backend is asked from. */
export const CompletionRequest = z.object({
  /** The catalogue's model id, after aliases are resolved. */
  model: z.string(),
  messages: z.array(Message),
  /** Always present: the client's cap or the model's own, never above the model's. */
  maxOutputTokens: z.int().positive(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  presencePenalty: z.number().optional(),
  stop: z.array(z.string()).optional(),
  seed: z.int().optional(),
  stream: z.boolean(),
})
export type CompletionRequest = z.infer<typeof CompletionRequest>
