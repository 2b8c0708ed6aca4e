import {
  type AccountId,
  type CompletionId,
  type Outcome,
  type OutcomeError,
  ServiceError,
  mintedAt,
} from '@weir/contracts'
import type { AnswerHead, Dialect } from '@weir/dialects'
import type { CompletionRecords } from '@weir/store'
import { spelled } from './styles.ts'

/** A completion that a client waits for, however it was begun. */
export type Attached = {
  id: CompletionId
  accountId: AccountId
  /** The one that its client speaks. */
  dialect: Dialect
  model: string
  /** The name that was asked for, where this request has begun it. */
  requested?: string | undefined
  deadlineAt: number
  background?: boolean
  metadata?: Record<string, string> | undefined
  webhookUrl?: string | undefined
}

/** A worker ends what is past its deadline; this much later we answer without it. */
export const DEADLINE_MARGIN_MS = 2_000

/** The deadline bounds the work, not how long its result may be asked for and taken. */
export async function hasEnded(
  { completionRecords }: { completionRecords: Pick<CompletionRecords, 'find'> },
  { accountId, id }: Pick<Attached, 'accountId' | 'id'>,
): Promise<boolean> {
  return (await completionRecords.find(accountId, id))?.end !== undefined
}

/** How a completion failed, as it is told. */
export const serviceErrorOf = ({ code, message, param, retryAfterMs, retryable }: OutcomeError): ServiceError =>
  new ServiceError(code, message, { param, retryAfterMs, retryable })

export function errorOf({ error }: Pick<Outcome, 'error'>): ServiceError {
  if (!error) return new ServiceError('internal', 'Something went wrong on our side. Please try again.')
  return serviceErrorOf(error)
}

/** Written to a closed connection: only our logs see it. */
export const nobodyThere = () => new ServiceError('cancelled', 'The client has closed the connection.')

export const tooLate = () => new ServiceError('deadline_exceeded', 'The completion did not finish in time.')

/** A failed completion can be asked about: its error names it. */
export function withId(
  id: CompletionId,
  { code, message, param, retryAfterMs, retryable }: ServiceError,
): ServiceError {
  return new ServiceError(code, message, { param, retryAfterMs, retryable, extra: { completion_id: id } })
}

/** The same on every replica: the time is in the id. */
export const headOf = (id: CompletionId, model: string, dialect: Pick<Dialect, 'name'>): AnswerHead => ({
  id: spelled(id, dialect),
  created: Math.floor(mintedAt(id) / 1_000),
  model,
})
