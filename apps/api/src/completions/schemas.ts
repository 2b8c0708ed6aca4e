import { AttemptEnd, EitherCompletionId, EndState } from '@weir/contracts'
import { z } from 'zod'
import { ChatCompletion } from '../answer-schemas.ts'
import { Message, MessagesErrorBody } from './message-schemas.ts'

export const CompletionParams = z.object({ id: EitherCompletionId.describe('`chatcmpl_…` or `msg_…`') })

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

const Routing = z.object({
  requested: z.string().optional().describe('The name that was asked for'),
  model: z.string().describe('What that name stood for'),
  target: z.string().nullable().describe('`backend/model`, once one has answered'),
  tried: z
    .array(
      z.object({
        attempt: z.int(),
        target: z.string(),
        error: z
          .string()
          .describe('The code of its error, or `circuit_open` or `cooling_down`: then it was not called'),
      }),
    )
    .describe('The targets that did not serve, in order, each with why'),
})

/** What is told beside the answer itself, in whichever API. */
const Standing = z.object({
  status: CompletionStatus,
  background: z.boolean(),
  stream: z.boolean(),
  metadata: z.record(z.string(), z.string()),
  webhook_url: z.string().optional().describe('Where its end is told, as it was asked for'),
  queue_position: z.int().optional().describe('How many wait before it, while it is queued'),
  expires_at: z.string().describe('Its deadline'),
  ended_at: z.string().optional(),
  served_by: z.string().optional(),
  routing: Routing.optional().describe('How it came to its target'),
  attempts: z.array(Attempt).describe('Every try at it, oldest first'),
})

const emptyUntil = 'Empty until it has completed, and once what it said is no longer kept'
const whyNot = 'Why it did not complete'

export const CompletionObject = ChatCompletion.extend({
  ...Standing.shape,
  choices: ChatCompletion.shape.choices.describe(emptyUntil),
  usage: ChatCompletion.shape.usage.optional(),
  error: z
    .object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() })
    .optional()
    .describe(whyNot),
})

export const MessageObject = Message.extend({
  ...Standing.shape,
  content: Message.shape.content.describe(emptyUntil),
  usage: Message.shape.usage.optional(),
  created_at: z.string(),
  error: MessagesErrorBody.shape.error.optional().describe(whyNot),
})
