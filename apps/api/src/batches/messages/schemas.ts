import { EitherBatchId } from '@weir/contracts'
import { z } from 'zod'
import { wholeNumber } from '../../inputs.ts'
import { Paused } from '../schemas.ts'

/** Clients add queries of their own. */
export const MessageBatchesQuery = z.object({
  limit: wholeNumber(1_000).default(20),
  after_id: EitherBatchId.optional().describe('The last_id of the page before'),
  before_id: EitherBatchId.optional().describe('The first_id of the page behind'),
})

const time = z.string().describe('RFC 3339')
const count = z.int().nonnegative()

export const MessageBatch = z.object({
  id: z.string(),
  type: z.literal('message_batch'),
  processing_status: z.enum(['in_progress', 'canceling', 'ended']),
  request_counts: z
    .object({ processing: count, succeeded: count, errored: count, canceled: count, expired: count })
    .describe('All but `processing` are 0 until the whole batch has ended'),
  created_at: time,
  expires_at: time,
  ended_at: time.nullable(),
  cancel_initiated_at: time.nullable(),
  archived_at: z.null(),
  results_url: z.string().nullable().describe('Once it has ended'),
  paused: Paused.extend({ since: time })
    .nullable()
    .describe('While it waits for something that only its owner can mend'),
  credits_consumed: z.number().describe('What was charged for it until now'),
  credits_reserved: z.number().describe('What its running requests have set aside'),
  max_credits: z.number().nullable(),
})

export const MessageBatchList = z.object({
  data: z.array(MessageBatch),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
})

export const MessageBatchDeleted = z.object({ id: z.string(), type: z.literal('message_batch_deleted') })
