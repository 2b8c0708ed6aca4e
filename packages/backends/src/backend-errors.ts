import { ServiceError } from '@weir/contracts'

// What a backend says is about our key, our account and our hosts: clients get these sentences, the log gets the cause.

export const unreachable = (cause: unknown): ServiceError =>
  new ServiceError('backend_error', "The model's backend could not be reached. Please try again.", { cause })

export const connectTimedOut = (cause?: unknown): ServiceError =>
  new ServiceError('backend_error', "The model's backend did not accept a connection in time. Please try again.", {
    cause,
  })

export const firstTokenTimedOut = (): ServiceError =>
  new ServiceError('backend_error', "The model's backend did not begin its answer in time. Please try again.")

export const fellSilent = (): ServiceError =>
  new ServiceError('backend_error', "The model's backend fell silent in the middle of its answer. Please try again.")

/** The connection ended, but the answer had not: what was received may look whole and is not. */
export const endedEarly = (cause?: unknown): ServiceError =>
  new ServiceError('backend_error', "The model's backend ended its answer before it was finished. Please try again.", {
    cause,
  })

export const failed = (cause?: unknown): ServiceError =>
  new ServiceError('backend_error', "The model's backend failed. Please try again.", { cause })

export const overloaded = (retryAfterMs: number, cause?: unknown): ServiceError =>
  new ServiceError('backend_overloaded', "The model's backend is overloaded. Please try again in a moment.", {
    retryAfterMs,
    cause,
  })

export const refused = (cause?: unknown): ServiceError =>
  new ServiceError(
    'invalid_request',
    "The model's backend refused this request. Check its messages and parameters against what the model supports.",
    { cause },
  )

export const contextExceeded = (cause?: unknown): ServiceError =>
  new ServiceError(
    'context_length_exceeded',
    "This request is longer than the model's context. Shorten the messages or ask for fewer output tokens.",
    { param: 'messages', cause },
  )

/** Why an aborted signal ended the call: its own reason, except that a timeout is the client's deadline. */
export function abortErrorOf(signal: AbortSignal): unknown {
  const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
  if (!timedOut) return signal.reason
  return new ServiceError('deadline_exceeded', 'The answer was not ready before the deadline of the request.', {
    cause: signal.reason,
  })
}
