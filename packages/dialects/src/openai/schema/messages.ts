import { z } from 'zod'
import { type IssueParams, unsupported } from '../../request-error.ts'
import { AssistantContentPart, TextContentPart, UserContentPart } from './parts.ts'

const name = z.string().max(64).nullish()

const Text = z.union([z.string(), z.array(TextContentPart).min(1)], {
  error: 'must be a string or an array of text parts',
})

export const ToolCall = z.discriminatedUnion('type', [
  z.strictObject({
    id: z.string().min(1),
    type: z.literal('function'),
    function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
    /** Some clients repeat the index of the stream they had the call from. */
    index: z.int().nullish(),
  }),
  z.strictObject({
    id: z.string().min(1),
    type: z.literal('custom'),
    custom: z.strictObject({ name: z.string().min(1), input: z.string() }),
    index: z.int().nullish(),
  }),
])
export type ToolCall = z.infer<typeof ToolCall>

const instead = 'is not supported: send a message of the role tool, and tool_calls instead of function_call'

export const RequestMessage = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: Text, name }),
  z.strictObject({ role: z.literal('developer'), content: Text, name }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(UserContentPart).min(1)], {
      error: 'must be a string or an array of content parts',
    }),
    name,
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z
      .union([z.string(), z.array(AssistantContentPart).min(1)], {
        error: 'must be a string or an array of text and refusal parts',
      })
      .nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(ToolCall).max(128).nullish(),
    reasoning_content: z.string().nullish().describe('What the model thought before this answer'),
    reasoning: z.string().nullish().describe('Another name of reasoning_content'),
    name,
    annotations: z
      .array(z.unknown())
      .nullish()
      .describe('Accepted, for clients repeat what they were answered, and not passed on'),
    audio: unsupported('is not supported'),
    function_call: unsupported('is deprecated and not supported: use tool_calls'),
  }),
  z.strictObject({ role: z.literal('tool'), content: Text, tool_call_id: z.string().min(1), name }),
  z.looseObject({
    role: z
      .literal('function')
      .refine(() => false, { error: instead, params: { code: 'unsupported_parameter' } satisfies IssueParams })
      .describe('Deprecated and refused'),
  }),
])
export type RequestMessage = z.infer<typeof RequestMessage>
