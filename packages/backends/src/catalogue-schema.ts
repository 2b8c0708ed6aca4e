import { Target } from '@weir/contracts'
import { z } from 'zod'
import { MOST_TOKENS } from './token-price.ts'

// Ids travel in URLs, headers, metrics and logs; these are the characters that vendors' own model names need.
export const ModelName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/,
    'must be 1 to 128 letters, digits or . _ : @ / -, the first a letter or digit',
  )
  .refine((name) => name !== 'auto', 'must not be "auto": that asks for the default model')

// No slash: a target is named `backend/model`.
export const BackendName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits or . _ -, the first a letter or digit')

const Amount = z.union([z.number(), z.string()], { error: 'must be a number of credits; say 0 if it is free' })

/** One model of the file. Its price is still as written: see `tokenPriceOf`. */
export const ModelEntry = z.strictObject({
  id: ModelName,
  aliases: z.array(ModelName).default([]),
  targets: z.array(Target).min(1, 'must name at least one backend and model'),
  price: z.strictObject(
    {
      input: Amount,
      cached_input: Amount.optional(),
      output: Amount,
      per: z.union([z.number(), z.string()]).default(1_000_000),
    },
    { error: (issue) => (issue.input === undefined ? 'is missing; say 0 if the model is free' : undefined) },
  ),
  max_output_tokens: z.int().positive().max(MOST_TOKENS),
  context_window: z.int().positive().max(MOST_TOKENS),
})
export type ModelEntry = z.infer<typeof ModelEntry>

/** The file as a whole. Backends and models are parsed one by one, so that a mistake in one hides none in another. */
export const CatalogueShape = z.strictObject({
  backends: z.record(z.string(), z.unknown()),
  models: z.array(z.unknown()).min(1, 'must list at least one model'),
  default_model: z.string().optional(),
})
