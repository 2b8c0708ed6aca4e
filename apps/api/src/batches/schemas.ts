import { batchEndpoints } from '@weir/completions'
import { EitherBatchId, FileId } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { z } from 'zod'
import { credits, wholeNumber } from '../inputs.ts'

export const BatchParams = z.object({ id: EitherBatchId })

const lifetime = { error: 'must be a whole number of seconds, from 3600 to 2592000' }

export const webhookUrl = z
  .string()
  .min(1)
  .describe('Told when the batch begins, whenever it pauses, and when it has ended')
export const maxCredits = credits.describe(
  'What it may cost at most, in credits: lines that would exceed it are not run',
)

export const NewBatch = z.strictObject({
  input_file_id: FileId.describe('A file of purpose `batch`'),
  endpoint: z.enum(batchEndpoints).describe('What every line of it asks for, as its `url`'),
  completion_window: z.literal('24h').describe('What has not ended by then expires'),
  metadata: openai.Metadata.optional(),
  output_expires_after: z
    .strictObject({
      anchor: z.literal('created_at'),
      seconds: z.int(lifetime).min(3_600, lifetime).max(2_592_000, lifetime),
    })
    .optional()
    .describe('How long its results are kept once it has ended'),
  max_credits: maxCredits.optional(),
  dry_run: z.boolean().optional().describe('Only checks every line and tells what they can cost: nothing runs'),
  webhook_url: webhookUrl.optional(),
})
export type NewBatch = z.infer<typeof NewBatch>

const seconds = z.int().describe('Unix time in seconds')
const count = z.int().nonnegative()

export const Paused = z.object({
  reason: z
    .enum(['insufficient_credits', 'key_limit', 'account_frozen'])
    .describe('It goes on by itself once that is over, until its window ends'),
  since: seconds,
})

export const BatchObject = z.object({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  input_file_id: z.string().describe('Empty for a message batch: its requests came inline'),
  completion_window: z.literal('24h'),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  errors: z
    .object({
      object: z.literal('list'),
      data: z.array(
        z.object({
          code: z.string(),
          message: z.string(),
          param: z.string().optional(),
          line: z.int().optional().describe('Of the input file, from 1'),
        }),
      ),
    })
    .optional()
    .describe('What is wrong with its input'),
  output_file_id: z.string().optional().describe('Lines that were answered, once it has ended and if there are any'),
  error_file_id: z.string().optional().describe('All other lines'),
  created_at: seconds,
  in_progress_at: seconds.optional(),
  expires_at: seconds,
  finalizing_at: seconds.optional(),
  completed_at: seconds.optional(),
  failed_at: seconds.optional(),
  expired_at: seconds.optional(),
  cancelling_at: seconds.optional(),
  cancelled_at: seconds.optional(),
  request_counts: z.object({ total: count, completed: count, failed: count }),
  usage: z
    .object({
      input_tokens: count,
      input_tokens_details: z.object({ cached_tokens: count }),
      output_tokens: count,
      output_tokens_details: z.object({ reasoning_tokens: count }),
      total_tokens: count,
      credits_consumed: z.number(),
    })
    .optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  paused: Paused.optional().describe('While it waits for something that only its owner can mend'),
  dry_run: z.boolean(),
  webhook_url: z.string().optional(),
  max_credits: z.number().optional(),
  estimate: z
    .object({ max_credits_consumed: z.number().describe('The most that all of its lines can cost together') })
    .optional()
    .describe('Once it is validated'),
  credits_consumed: z.number().describe('What was charged for it until now'),
  credits_reserved: z.number().describe('What its running lines have set aside'),
})

export const BatchList = z.object({
  object: z.literal('list'),
  data: z.array(BatchObject),
  has_more: z.boolean(),
  first_id: z.string().optional().describe('Absent where the list is empty'),
  last_id: z.string().optional(),
})

export const ListQuery = z.strictObject({
  limit: wholeNumber(100).default(20),
  after: EitherBatchId.optional().describe('The last_id of the page before'),
})

const lineStates = ['pending', 'in_progress', 'completed', 'failed', 'cancelled', 'expired'] as const

export const LinesQuery = z.strictObject({
  limit: wholeNumber(1_000).default(100),
  after: wholeNumber(10_000_000).optional().describe('The last_line of the page before'),
  state: z.enum(lineStates).optional(),
})

export const LineList = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('batch.line'),
      line: z.int().describe('Of the input file, from 1'),
      custom_id: z.string(),
      state: z.enum(lineStates),
      attempts: count.describe('How often it was tried'),
      completion_id: z
        .string()
        .nullable()
        .describe('Of its latest try: it has a receipt; null while it waits for the next'),
      credits_consumed: z.number(),
      ended_at: seconds.nullable(),
      next_attempt_at: seconds.nullable().describe('Of one that failed and is tried again: not before then'),
      error: z
        .object({ code: z.string(), message: z.string() })
        .nullable()
        .describe('Why it failed, or its last try did'),
    }),
  ),
  has_more: z.boolean(),
  last_line: z.int().nullable(),
})
