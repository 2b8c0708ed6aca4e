import { JsonObject } from '@weir/contracts'
import { z } from 'zod'
import { Name } from './tools.ts'

export const RequestFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: Name,
      description: z.string().nullish(),
      schema: JsonObject.nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
])
export type RequestFormat = z.infer<typeof RequestFormat>

export const Stop = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(4)], {
  error: 'must be a string or 1 to 4 strings',
})

export const StreamOptions = z
  .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
  .describe('Without effect unless `stream` is true')

export const LogitBias = z.record(
  z.string().regex(/^\d{1,10}$/, { error: 'must be the id of a token' }),
  z.int().min(-100).max(100),
)

/** What Postgres holds as it was sent. */
const keptText = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), { error: 'must be well-formed text without NUL' })

/** Pairs of text that stay with a completion: at most 16, keys of up to 64 characters, values of up to 512. */
export const Metadata = z
  .record(keptText(64).min(1), keptText(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: 'must have at most 16 pairs' })
