import { Capability } from '@weir/contracts'
import { z } from 'zod'
import { TokenPrice } from '../ledger-schemas.ts'

const range = z.object({ min: z.number().optional(), max: z.number().optional() })

const numbers = {
  max_tokens: range,
  temperature: range,
  top_p: range,
  top_k: range,
  frequency_penalty: range,
  presence_penalty: range,
  n: range,
}

/** What we tell of a model, or of a name that stands for some, in whichever API. */
const Told = z.object({
  aliases: z.array(z.string()),
  description: z.string().optional(),
  context_window: z.int(),
  max_output_tokens: z.int(),
  defaults: z
    .record(z.string(), z.union([z.number(), z.string()]))
    .describe('What a request has that does not say otherwise'),
  bounds: z.object(numbers).partial().describe('What a request may ask for'),
  roles: z.array(z.string()).optional().describe("Whose messages it takes; everybody's when absent"),
  images: z.object({ max: z.int().optional(), urls: z.enum(['pass', 'refuse']).optional() }).optional(),
  price: TokenPrice.optional().describe('In force now; of a name that stands for several models each has its own'),
  stands_for: z
    .object({ pick: z.enum(['first', 'cheapest', 'weighted']), models: z.array(z.string()) })
    .optional()
    .describe('Of a name that is a rule: the models that it may choose'),
})

export const ModelObject = Told.extend({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('Since when it has its price'),
  owned_by: z.string(),
  capabilities: z.array(Capability),
})

const support = z.object({ supported: z.boolean() })

export const ModelInfo = Told.extend({
  type: z.literal('model'),
  id: z.string(),
  display_name: z.string(),
  created_at: z.string().describe('Since when it has its price'),
  lifecycle: z.literal('active'),
  line: z.null(),
  deprecated_at: z.null(),
  retires_at: z.null(),
  max_input_tokens: z.int(),
  max_tokens: z.int(),
  capabilities: z.object({
    batch: support,
    citations: support,
    code_execution: support,
    context_management: support.extend({
      clear_thinking_20251015: z.null(),
      clear_tool_uses_20250919: z.null(),
      compact_20260112: z.null(),
    }),
    effort: support.extend({ low: support, medium: support, high: support, xhigh: support, max: support }),
    image_input: support,
    pdf_input: support,
    server_tools: support.extend({ code_execution: support, web_search: support }),
    structured_outputs: support,
    thinking: support.extend({
      types: z.object({ adaptive: support, between_tools: support, disabled: support, enabled: support }),
    }),
  }),
})

export const ModelList = z.object({ object: z.literal('list'), data: z.array(ModelObject) })
export const ModelPage = z.object({
  data: z.array(ModelInfo),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
})
