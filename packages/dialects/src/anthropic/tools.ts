import { z } from 'zod'
import { CacheControl, ToolName } from './blocks.ts'

/** A tool that the client runs. Those that a vendor would run have another `type`. */
export const Tool = z.strictObject({
  type: z.literal('custom', { error: 'only custom tools are supported, not those that run on a server' }).nullish(),
  name: ToolName,
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).refine(({ type }) => type === 'object', {
    error: "must be a JSON schema of type 'object'",
    path: ['type'],
  }),
  strict: z.boolean().nullish(),
  cache_control: CacheControl.nullish(),
  eager_input_streaming: z
    .boolean()
    .nullish()
    .describe('Accepted and not passed on: arguments always come as they are written'),
  allowed_callers: z.array(z.literal('direct', { error: 'only direct calls are supported' })).nullish(),
  defer_loading: z.literal(false, { error: 'only false is supported' }).nullish(),
  input_examples: z.array(z.unknown()).max(0, { error: 'examples are not supported' }).nullish(),
})
export type Tool = z.infer<typeof Tool>

const disable_parallel_tool_use = z.boolean().nullish()

export const ToolChoice = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.enum(['auto', 'any']), disable_parallel_tool_use }),
    z.strictObject({ type: z.literal('tool'), name: ToolName, disable_parallel_tool_use }),
    z.strictObject({ type: z.literal('none') }),
  ],
  { error: 'must be auto, any, tool or none' },
)
export type ToolChoice = z.infer<typeof ToolChoice>
