import type { ServiceError } from '@weir/contracts'
import { contextExceeded, failed, overloaded, refused, setUpWrong } from '../backend-error.ts'
import { fieldsOf } from '../fields.ts'

const DEFAULT_RETRY_AFTER_MS = 5_000
const LONGEST_CAUSE_CHARACTERS = 500

/** The status that an error within a stream would have had. */
const statuses: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

const aboutContext =
  /prompt is too long|exceed(s|ed)? (the )?context (limit|window)|maximum context length|context_length_exceeded/i
// Vendors also say 400 about a bad key or an unpaid bill, which no client of ours can mend.
const aboutOurAccount = /credit balance|usage limit|(invalid|incorrect) (x-)?api[ -]key|your organization/i

/**
 * A backend's refusal as ours. What it says is about our key, our account and our hosts: clients get sentences of our own,
 * the log gets the short names it uses. `retryAfterMs` is what the backend has asked for.
 */
export function readError(status: number, body: unknown, retryAfterMs = DEFAULT_RETRY_AFTER_MS): ServiceError {
  const { type, message } = errorIn(body)
  const cause = new Error(
    `HTTP ${status} ${/^[\w.-]+$/.test(type) ? type : ''}`.trim().slice(0, LONGEST_CAUSE_CHARACTERS),
  )
  const isAboutRequest = [400, 413, 422].includes(status)
  if (isAboutRequest && aboutContext.test(message)) return contextExceeded(cause)
  if ([401, 402, 403].includes(status) || (aboutOurAccount.test(message) && status !== 429)) return setUpWrong(cause)
  if (isAboutRequest) return refused(cause)
  // Of what is not found, be it the model or the path, none is for a client to mend: the backend is set up wrongly.
  if (status === 404) return failed(cause)
  if (status === 429 || status === 503 || status === 529 || type === 'overloaded_error')
    return overloaded(retryAfterMs, cause)
  return failed(cause)
}

/** The failure told by an `error` event, after a status of 200. */
export function streamedError(event: unknown): ServiceError {
  const { type } = errorIn(event)
  return readError(Object.hasOwn(statuses, type) ? statuses[type]! : 500, event)
}

function errorIn(body: unknown): { type: string; message: string } {
  const error = fieldsOf(fieldsOf(body)?.['error'])
  const code = fieldsOf(error?.['details'])?.['error_code']
  return { type: textOf(error?.['type']), message: `${textOf(error?.['message'])} ${textOf(code)}` }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
