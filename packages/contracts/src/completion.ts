import { z } from 'zod'
import { FinishReason } from './chunk.ts'
import { CompletionRequest } from './completion-request.ts'
import { MicrocreditsText } from './credits.ts'
import { type ErrorCode, isErrorCode } from './errors.ts'
import { AccountId, CompletionId } from './ids.ts'
import { Price } from './price.ts'
import { Usage } from './usage.ts'

/** How a completion can end. `queued` and `in_progress` come before. */
export const EndState = z.enum(['completed', 'failed', 'cancelled', 'expired'])
export type EndState = z.infer<typeof EndState>

/** All a worker needs to run a completion; it waits in Redis under the completion's id. */
export const CompletionJob = z.object({
  id: CompletionId,
  accountId: AccountId,
  request: CompletionRequest,
  /** The price it was quoted with, whatever its model costs by the time it is settled. */
  price: Price,
  /** The most it can cost: it is never charged more. Less is reserved where the account clamps and cannot cover it. */
  quote: MicrocreditsText,
  /** The output cap, where it was lowered to what the account could pay for. */
  clampedTo: z.int().optional(),
  /** When its answer stops being wanted, in milliseconds since the epoch. */
  deadlineAt: z.int(),
})
export type CompletionJob = z.infer<typeof CompletionJob>

export const ChoiceResult = z.object({ index: z.int(), text: z.string(), finishReason: FinishReason })
export type ChoiceResult = z.infer<typeof ChoiceResult>

export const OutcomeError = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
  message: z.string(),
  retryAfterMs: z.int().optional(),
})
export type OutcomeError = z.infer<typeof OutcomeError>

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
  /** The whole text of a plain call; a stream's text is in its frames. */
  choices: z.array(ChoiceResult),
  error: OutcomeError.optional(),
  /** How many attempts it took, and the output cap it was clamped to for want of credits. */
  attempts: z.int().optional(),
  clampedTo: z.int().optional(),
})
export type Outcome = z.infer<typeof Outcome>
