import { JsonObject } from '@weir/contracts'
import { z } from 'zod'

/** What OpenAI allows as the name of a function, of a custom tool and of a schema. */
export const Name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, {
  error: 'must be 1 to 64 letters, digits, underscores or dashes',
})

const Format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({
    type: z.literal('grammar'),
    grammar: z.strictObject({ definition: z.string(), syntax: z.enum(['lark', 'regex']) }),
  }),
])

export const RequestTool = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('function'),
    function: z.strictObject({
      name: Name,
      description: z.string().nullish(),
      parameters: JsonObject.nullish().describe('The JSON schema of its arguments; none is a function without any'),
      strict: z.boolean().nullish(),
    }),
  }),
  z.strictObject({
    type: z.literal('custom'),
    custom: z.strictObject({ name: Name, description: z.string().nullish(), format: Format.nullish() }),
  }),
])
export type RequestTool = z.infer<typeof RequestTool>

const namedFunction = z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: Name }) })
const namedCustom = z.strictObject({ type: z.literal('custom'), custom: z.strictObject({ name: Name }) })

export const NamedTool = z.discriminatedUnion('type', [namedFunction, namedCustom])
export type NamedTool = z.infer<typeof NamedTool>

export const RequestToolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.discriminatedUnion('type', [
      namedFunction,
      namedCustom,
      z.strictObject({
        type: z.literal('allowed_tools'),
        allowed_tools: z.strictObject({
          mode: z.enum(['auto', 'required']),
          tools: z.array(NamedTool).min(1).max(1_024),
        }),
      }),
    ]),
  ],
  { error: 'must be none, auto, required, a tool by its name, or allowed_tools' },
)
export type RequestToolChoice = z.infer<typeof RequestToolChoice>
