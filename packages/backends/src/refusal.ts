import type { Dispatcher } from 'undici'
import { ServiceError } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import { vendorFailure } from './backend-errors.ts'
import type { Protocol } from './protocol.ts'
import { beginningOf } from './read-body.ts'
import { retryAfterOf } from './retry-after.ts'

const LARGEST_ERROR_BYTES = 64 * 1024
// The status says most of it; nobody waits long for the rest.
const ERROR_BODY_TIMEOUT_MS = 2_000
const DEFAULT_RETRY_AFTER_MS = 5_000

/** The failure behind an answer that is not 200. Reads no more of its body than an error needs. */
export async function refusalOf(response: Dispatcher.ResponseData, protocol: Protocol): Promise<ServiceError> {
  const { statusCode: status, headers } = response
  const where = `HTTP ${status}`
  const text = (await beginningOf(response.body, LARGEST_ERROR_BYTES, ERROR_BODY_TIMEOUT_MS)).toString()
  // A redirect is not followed, for it would take our key to wherever it points. It and a path or a model that is not
  // there are about how the backend is set up, which no client can mend and another target may do better.
  const isSetUpWrong = status < 400 || status === 404 || status === 405
  const error = isSetUpWrong ? backendError.failed() : protocol.readError(status, jsonOf(text) ?? text)
  const named = vendorFailure(error, where, text)
  if (named.code !== 'backend_overloaded') return named

  const retryAfterMs = retryAfterOf(headers) ?? named.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS
  return new ServiceError(named.code, named.message, { retryAfterMs, cause: named.cause })
}

/** An error in the body of a 200, as some proxies send it; a code in it is the status it should have had. */
export function refusalWithin(body: unknown, text: string, protocol: Protocol): ServiceError {
  const { error } = body as { error?: { code?: unknown; status?: unknown } | null }
  const told = [error?.code, error?.status]
    .map(Number)
    .find((code) => Number.isInteger(code) && code >= 400 && code < 600)
  return vendorFailure(protocol.readError(told ?? 500, body), 'HTTP 200', text)
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
