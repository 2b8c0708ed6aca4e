import { type EndState, type ErrorCode, type Outcome, type ServiceError, errors, noUsage } from '@weir/contracts'

/** An end that costs nothing: nobody was given what they asked for, and not by their own wish. */
export function freeOutcome(
  state: Exclude<EndState, 'completed'>,
  code: ErrorCode,
  message: string,
  retryAfterMs?: number,
): Outcome {
  return { state, usage: noUsage, cost: 0n, choices: [], error: { code, message, retryAfterMs } }
}

export function failedOutcome({ code, message, param, retryAfterMs, retryable }: ServiceError): Outcome {
  const isUnusual = retryable !== errors[code].retryable
  const more = { ...(param !== undefined && { param }), ...(isUnusual && { retryable }) }
  return { ...freeOutcome('failed', code, message), error: { code, message, retryAfterMs, ...more } }
}

export const expiredOutcome = (): Outcome =>
  freeOutcome(
    'expired',
    'deadline_exceeded',
    'The completion did not finish in time. It was stopped and costs nothing.',
  )

export const interruptedOutcome = (): Outcome =>
  freeOutcome(
    'failed',
    'stream_interrupted',
    'The stream was interrupted on our side. It costs nothing; please ask again.',
  )

export const exhaustedOutcome = (): Outcome =>
  freeOutcome('failed', 'internal', 'The completion could not be run. It costs nothing; please ask again.')

export const abandonedOutcome = (): Outcome =>
  freeOutcome('cancelled', 'cancelled', 'The completion was cancelled before it ran.')

export const lostOutcome = (): Outcome =>
  freeOutcome(
    'failed',
    'service_unavailable',
    'The completion was lost before it could run. It costs nothing; please ask again.',
    1_000,
  )
