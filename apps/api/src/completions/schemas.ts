import { AttemptEnd, CompletionId, EndState } from '@weir/contracts'
import { z } from 'zod'
import { ChatCompletion } from '../answer-schemas.ts'

export const CompletionParams = z.object({ id: CompletionId })

export const CompletionStatus = z.enum(['queued', 'in_progress', ...EndState.options])

const Attempt = z.object({
  attempt: z.int().describe('Counts from 1; one that was handed back before it said a word is not counted'),
  worker: z.string(),
  target: z.string().nullable().describe('`backend/model`, once one was reached'),
  started_at: z.string(),
  ended_at: z.string().nullable().describe('null while it runs, and where its worker was not heard of again'),
  outcome: z.enum([...AttemptEnd.options, 'running']),
  error: z.string().nullable(),
})

export const CompletionObject = ChatCompletion.extend({
  status: CompletionStatus,
  background: z.boolean(),
  stream: z.boolean(),
  metadata: z.record(z.string(), z.string()),
  queue_position: z.int().optional().describe('How many wait before it, while it is queued'),
  expires_at: z.string().describe('Its deadline'),
  ended_at: z.string().optional(),
  choices: ChatCompletion.shape.choices.describe(
    'Empty until it has completed, and once what it said is no longer kept',
  ),
  usage: ChatCompletion.shape.usage.optional(),
  served_by: z.string().optional(),
  error: z
    .object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() })
    .optional()
    .describe('Why it did not complete'),
  attempts: z.array(Attempt).describe('Every try at it, oldest first'),
})
