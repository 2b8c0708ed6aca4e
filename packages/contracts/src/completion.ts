import { z } from 'zod'
import { ChoiceResult } from './answer.ts'
import { CompletionRequest } from './completion-request.ts'
import { MicrocreditsText } from './credits.ts'
import { type ErrorCode, isErrorCode } from './errors.ts'
import { AccountId, CompletionId, KeyId } from './ids.ts'
import { Price } from './price.ts'
import { Usage } from './usage.ts'

/** How a completion can end. `queued` and `in_progress` come before. */
export const EndState = z.enum(['completed', 'failed', 'cancelled', 'expired'])
export type EndState = z.infer<typeof EndState>

/** All a worker needs to run a completion; it waits in Redis under the completion's id. */
export const CompletionJob = z.object({
  id: CompletionId,
  accountId: AccountId,
  keyId: KeyId,
  request: CompletionRequest,
  /** What the client asked for: a model, an alias, a rule, a target, or `auto`. */
  requested: z.string().optional(),
  /** The one target that may serve it, as `backend/model`, where the client named it. */
  onlyTarget: z.string().optional(),
  /** The price it was quoted with, whatever its model costs by the time it is settled. */
  price: Price,
  /** The most it can cost: it is never charged more. Less is reserved where the account clamps and cannot cover it. */
  quote: MicrocreditsText,
  /** The output cap, where it was lowered to what the account could pay for. */
  clampedTo: z.int().optional(),
  /** When its answer stops being wanted, in milliseconds since the epoch. */
  deadlineAt: z.int(),
  /** Whether its client has set it: then it is the client who ends it there. */
  ownDeadline: z.boolean(),
  /** It and its result are kept in Postgres: it survives the loss of Redis, and its result can be asked for later. */
  kept: z.boolean(),
  /** Too large for Redis: what makes it so waits in Postgres, kept or not, until it has ended. */
  large: z.boolean().optional(),
  /** It is cancelled when nobody waits for it any more. */
  attended: z.boolean(),
  /** A line of a batch, which waits on the lane of batches. */
  ofBatch: z.boolean().optional(),
  /** Its stream ends with a chunk that tells the usage. */
  includeUsage: z.boolean(),
})
export type CompletionJob = z.infer<typeof CompletionJob>

export const OutcomeError = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
  message: z.string(),
  /** The field of the request that is wrong, where only the worker could tell. */
  param: z.string().optional(),
  retryAfterMs: z.int().optional(),
  /** Whether asking again can help, where it is not as with others of its code. */
  retryable: z.boolean().optional(),
})
export type OutcomeError = z.infer<typeof OutcomeError>

/** Why an attempt ended. `lost`: its worker was not heard of again. `handed_back`: its worker went before it had said a word. */
export const AttemptEnd = z.enum([...EndState.options, 'handed_back', 'interrupted', 'lost'])
export type AttemptEnd = z.infer<typeof AttemptEnd>

/** A target that failed before any of its answer was seen, or was passed over, and why: an error code or a state of the target. */
const Tried = z.object({ target: z.string(), error: z.string() })
export type Tried = z.infer<typeof Tried>

/** One try at a completion. Times are in milliseconds since the epoch, by the clock of Redis or of the worker. */
export const AttemptRecord = z.object({
  /** Counts from 1; one that was handed back is not counted. */
  attempt: z.int(),
  worker: z.string(),
  startedAt: z.int(),
  /** Unknown where it was lost; absent while it runs. */
  endedAt: z.int().optional(),
  end: AttemptEnd.optional(),
  /** The target it was served by, as `backend/model`. */
  target: z.string().optional(),
  error: z.string().optional(),
  /** The targets before that one, each with why it did not serve. */
  tried: z.array(Tried).optional(),
  /** What the client asked for. */
  requested: z.string().optional(),
  /** How the client was told why the completion failed; of the last one. */
  message: z.string().optional(),
})
export type AttemptRecord = z.infer<typeof AttemptRecord>

/**
 * How a completion ended and what it costs: the terminal record. It is written once, before the ledger settles it,
 * so that whoever finishes the completion settles the same amount.
 */
export const Outcome = z.object({
  state: EndState,
  usage: Usage,
  cost: MicrocreditsText,
  /** The target that served it, as `backend/model`; absent when none was reached. */
  servedBy: z.string().optional(),
  /** The whole answer, but of a stream that is not kept: that is in its frames. */
  choices: z.array(ChoiceResult),
  error: OutcomeError.optional(),
  /** Every try at it, oldest first. */
  attempts: z.array(AttemptRecord).optional(),
  /** The output cap it was clamped to for want of credits. */
  clampedTo: z.int().optional(),
})
export type Outcome = z.infer<typeof Outcome>

/** A job and a terminal record as they lie in Redis and in Postgres. */
export const encodeJob = (job: CompletionJob): string => JSON.stringify(z.encode(CompletionJob, job))
export const decodeJob = (text: string): CompletionJob => z.decode(CompletionJob, JSON.parse(text))
export const encodeOutcome = (outcome: Outcome): string => JSON.stringify(z.encode(Outcome, outcome))
export const decodeOutcome = (text: string): Outcome => z.decode(Outcome, JSON.parse(text))
