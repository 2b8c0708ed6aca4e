import { ServiceError } from '@weir/contracts'
import { backendError } from '@weir/dialects'

// What becomes of a call. What a backend says of it is the dialects' to tell (`backendError`).

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

/** What a vendor said, as our error with a cause that the log may hold. */
export function vendorFailure(
  { code, message, param, retryAfterMs, retryable }: ServiceError,
  where: string,
  text: string,
): ServiceError {
  return new ServiceError(code, message, {
    ...(param === undefined ? {} : { param }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    retryable,
    cause: backendError.causeOf(where, text),
  })
}

/** Why an aborted signal ended the call: its own reason, except that a timeout is the client's deadline. */
export function abortErrorOf(signal: AbortSignal): unknown {
  const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
  if (!timedOut) return signal.reason
  return new ServiceError('deadline_exceeded', 'The answer was not ready before the deadline of the request.', {
    cause: signal.reason,
  })
}
