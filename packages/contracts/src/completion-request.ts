import { z } from 'zod'
import {
  AudioPart,
  CacheMark,
  FilePart,
  ImagePart,
  ReasoningPart,
  RedactedReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
  ToolKind,
} from './content.ts'

const textOr = <Part extends z.ZodType>(part: Part) => z.union([z.string(), z.array(part)])

export const UserPart = z.discriminatedUnion('type', [TextPart, ImagePart, AudioPart, FilePart])
export type UserPart = z.infer<typeof UserPart>

export const AssistantPart = z.discriminatedUnion('type', [
  TextPart,
  RefusalPart,
  ReasoningPart,
  RedactedReasoningPart,
  ToolCallPart,
])
export type AssistantPart = z.infer<typeof AssistantPart>

export const ToolResultPart = z.discriminatedUnion('type', [TextPart, ImagePart, FilePart])
export type ToolResultPart = z.infer<typeof ToolResultPart>

const name = z.string().optional()

/** One turn. A string and a single part of text are the same content; which of them a client sent is kept. */
export const Message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: textOr(TextPart), name }),
  z.object({ role: z.literal('user'), content: textOr(UserPart), name }),
  z.object({ role: z.literal('assistant'), content: textOr(AssistantPart), name }),
  z.object({
    role: z.literal('tool'),
    /** The id of the tool call that this is the result of. */
    callId: z.string(),
    content: textOr(ToolResultPart),
    isError: z.boolean().optional(),
    cache: CacheMark.optional(),
  }),
])
export type Message = z.infer<typeof Message>

/** A JSON schema, or any other JSON object that we only pass on. */
export const JsonObject = z.record(z.string(), z.unknown())
export type JsonObject = z.infer<typeof JsonObject>

export const Tool = z.object({
  kind: ToolKind,
  name: z.string(),
  description: z.string().optional(),
  /** Of a function: the JSON schema of its arguments. */
  parameters: JsonObject.optional(),
  /** Of a custom tool: the grammar of its input. */
  format: JsonObject.optional(),
  strict: z.boolean().optional(),
  cache: CacheMark.optional(),
})
export type Tool = z.infer<typeof Tool>

const ToolName = z.object({ kind: ToolKind, name: z.string() })

export const ToolChoice = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['auto', 'none', 'required']) }),
  z.object({ type: z.literal('tool'), ...ToolName.shape }),
  z.object({ type: z.literal('allowed'), mode: z.enum(['auto', 'required']), tools: z.array(ToolName) }),
])
export type ToolChoice = z.infer<typeof ToolChoice>

export const ResponseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    name: z.string().optional(),
    description: z.string().optional(),
    schema: JsonObject.optional(),
    strict: z.boolean().optional(),
  }),
])
export type ResponseFormat = z.infer<typeof ResponseFormat>

/** How much a model thinks: by a word (OpenAI, and Anthropic's `output_config`), or by what Anthropic's `thinking` says. */
export const Reasoning = z.object({
  effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('enabled'), budgetTokens: z.int() }),
      z.object({ type: z.enum(['adaptive', 'between_tools', 'disabled']) }),
    ])
    .optional(),
  display: z.enum(['summarized', 'omitted']).optional(),
})
export type Reasoning = z.infer<typeof Reasoning>

/** How OpenAI keeps prompts. It changes what a repeated prompt costs, never what is answered: others leave it out. */
export const PromptCache = z.object({
  /** `explicit` keeps no more than what is marked. */
  mode: z.enum(['implicit', 'explicit']).optional(),
  ttl: z.enum(['30m', '12h']).optional(),
  /** The older word for the same wish. */
  retention: z.enum(['in_memory', '24h']).optional(),
})
export type PromptCache = z.infer<typeof PromptCache>

/** The canonical request: what every dialect is read into and every backend is asked from. */
export const CompletionRequest = z.object({
  /** The catalogue's model id, after aliases and rules are resolved. */
  model: z.string(),
  messages: z.array(Message),
  /** Always present: the client's cap or the model's own, never above the model's. Of each choice. */
  maxOutputTokens: z.int().positive(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  topK: z.int().optional(),
  frequencyPenalty: z.number().optional(),
  presencePenalty: z.number().optional(),
  logitBias: z.record(z.string(), z.number()).optional(),
  stop: z.array(z.string()).optional(),
  seed: z.int().optional(),
  /** How many answers; one when absent. */
  choices: z.int().positive().optional(),
  /** Tells the probability of each token, and of so many others that were likely in its place. */
  logprobs: z.object({ top: z.int().nonnegative() }).optional(),
  tools: z.array(Tool).optional(),
  toolChoice: ToolChoice.optional(),
  parallelToolCalls: z.boolean().optional(),
  responseFormat: ResponseFormat.optional(),
  reasoning: Reasoning.optional(),
  verbosity: z.enum(['low', 'medium', 'high']).optional(),
  /** Absent is `auto`; `default` is the ordinary tier and no other. */
  serviceTier: z.enum(['default', 'flex', 'scale', 'priority', 'fast']).optional(),
  /** Whom of the client's own users this is for, as an id that only the client understands. */
  endUser: z.string().optional(),
  promptCacheKey: z.string().optional(),
  promptCache: PromptCache.optional(),
  /** Whose it is: what a backend of ours remembers of one account is not for another to see. It is sent to nobody. */
  account: z.string().optional(),
  stream: z.boolean(),
  /** Fields of vendors, which go to the backends that list them, as they came. */
  extra: JsonObject.optional(),
})
export type CompletionRequest = z.infer<typeof CompletionRequest>

/** A request as a dialect reads it, before its model is chosen: that adds the model's cap, its defaults and its bounds. */
export type RequestDraft = Omit<CompletionRequest, 'model' | 'maxOutputTokens'> & {
  /** A model, an alias, a rule or a target by name; absent asks for what the catalogue offers by default. */
  model?: string | undefined
  maxOutputTokens?: number | undefined
}
