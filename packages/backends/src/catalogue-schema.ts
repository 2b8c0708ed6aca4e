import { BackendConfig, Capability, parseCredits } from '@weir/contracts'
import { z } from 'zod'
import { MOST_TOKENS } from './token-price.ts'

// Ids travel in URLs, headers, metrics and logs; these are the characters that vendors' own model names need.
export const ModelName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/,
    'must be 1 to 128 letters, digits or . _ : @ / -, the first a letter or digit',
  )
  .refine((name) => !/^auto$/i.test(name), 'must not be "auto": that asks for the default model')

// No slash: a target is named `backend/model`.
export const BackendName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits or . _ -, the first a letter or digit')

/** Which schema is to read the rest of a backend. */
export const BackendKind = z.looseObject({
  kind: z.enum(BackendConfig.options.map((option) => option.shape.kind.value)),
})

const Amount = z.union([z.number(), z.string()], {
  error: ({ input }) =>
    input === undefined ? 'is missing; say 0 if it is free' : 'must be a number of credits; say 0 if it is free',
})

const tokens = z.int().positive().max(MOST_TOKENS)
const capability = z.enum(Capability.options)
const description = z.string().min(1).max(1_000)
const weight = z.number().positive().max(1_000_000)

/** Credits of one request. */
const Ceiling = z.union([z.number(), z.string()]).transform((written, context) => {
  const amount = parseCredits(written)
  if (amount !== undefined) return amount
  context.addIssue({ code: 'custom', message: 'must be a number of credits with at most six decimals' })
  return z.NEVER
})

/** Which requests a target or a case of a rule is for. */
const ConditionEntry = z
  .strictObject({
    needs: z
      .array(z.enum([...Capability.options, 'json']))
      .min(1)
      .optional(),
    min_prompt_tokens: tokens.optional(),
    max_prompt_tokens: tokens.optional(),
    max_price: Ceiling.optional(),
  })
  .refine(({ min_prompt_tokens: min = 0, max_prompt_tokens: max = Infinity }) => min <= max, {
    path: ['max_prompt_tokens'],
    error: 'must not be smaller than min_prompt_tokens',
  })
export type ConditionEntry = z.infer<typeof ConditionEntry>

export const TargetEntry = z.strictObject({
  backend: z.string(),
  model: z.string().min(1),
  priority: z.int().min(-1_000).max(1_000).optional(),
  weight: weight.optional(),
  capabilities: z.array(capability).optional(),
  context_window: tokens.optional(),
  quota_group: z.string().min(1).max(64).optional(),
  when: ConditionEntry.optional(),
})
export type TargetEntry = z.infer<typeof TargetEntry>

const temperature = z.number().min(0).max(2)
const topP = z.number().min(0).max(1)
const topK = z.int().nonnegative()
const penalty = z.number().min(-2).max(2)
const range = <Number extends z.ZodType<number>>(number: Number) =>
  z
    .strictObject({ min: number.optional(), max: number.optional() })
    .refine(({ min = -Infinity, max = Infinity }) => min <= max, { path: ['max'], error: 'must not be below min' })

/** What a request has that does not say otherwise, in the words of requests. */
const Defaults = z.strictObject({
  max_tokens: tokens.optional(),
  temperature: temperature.optional(),
  top_p: topP.optional(),
  top_k: topK.optional(),
  frequency_penalty: penalty.optional(),
  presence_penalty: penalty.optional(),
  verbosity: z.enum(['low', 'medium', 'high']).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
})

const BoundsEntry = z.strictObject({
  max_tokens: range(tokens).optional(),
  temperature: range(temperature).optional(),
  top_p: range(topP).optional(),
  top_k: range(topK).optional(),
  frequency_penalty: range(penalty).optional(),
  presence_penalty: range(penalty).optional(),
  n: range(z.int().min(1).max(128)).optional(),
})

export const PriceEntry = z.strictObject(
  {
    input: Amount,
    cached_input: Amount.optional(),
    cache_write: Amount.optional(),
    output: Amount,
    reasoning: Amount.optional(),
    per: z.union([z.number(), z.string()]).default(1_000_000),
    image: Amount.optional(),
    request: Amount.optional(),
    minimum: Amount.optional(),
    batch_discount: z.union([z.number(), z.string()]).optional(),
  },
  { error: (issue) => (issue.input === undefined ? 'is missing; say 0 if the model is free' : undefined) },
)
export type PriceEntry = z.infer<typeof PriceEntry>

/** One model of the file. Its price is still as written: see `tokenPriceOf`. */
export const ModelEntry = z.strictObject({
  id: ModelName,
  aliases: z.array(ModelName).default([]),
  description: description.optional(),
  targets: z.array(TargetEntry).min(1, 'must name at least one backend and model'),
  price: PriceEntry,
  max_output_tokens: tokens,
  context_window: tokens,
  capabilities: z.array(capability).optional(),
  defaults: Defaults.default({}),
  bounds: BoundsEntry.default({}),
  roles: z
    .array(z.enum(['system', 'developer', 'user', 'assistant', 'tool']))
    .min(1)
    .optional(),
  images: z
    .strictObject({ max: z.int().nonnegative().max(1_000).optional(), urls: z.enum(['pass', 'refuse']).optional() })
    .optional(),
  direct: z.boolean().optional(),
})
export type ModelEntry = z.infer<typeof ModelEntry>

export const ListedModel = z.union([z.string(), z.strictObject({ model: z.string(), weight: weight.default(1) })])

const choice = {
  models: z.array(ListedModel).min(1, 'must name at least one model'),
  pick: z.enum(['cheapest', 'first', 'weighted']).optional(),
}

/** A name that stands for a choice among models. */
export const RuleEntry = z.strictObject({
  id: ModelName,
  aliases: z.array(ModelName).default([]),
  description: description.optional(),
  ...choice,
  when: z.array(z.strictObject({ if: ConditionEntry, ...choice })).default([]),
  max_price: Ceiling.optional(),
})

/** The file as a whole. What it lists is parsed one by one, so that a mistake in one hides none in another. */
export const CatalogueShape = z.strictObject({
  backends: z.record(z.string(), z.unknown()),
  models: z.array(z.unknown()).min(1, 'must list at least one model'),
  rules: z.array(z.unknown()).default([]),
  default_model: z.string().optional(),
  direct: z.boolean().optional(),
})
