import type { ServiceError } from '@weir/contracts'
import { causeOf, contextExceeded, failed, overloaded, refused, setUpWrong } from '../backend-error.ts'
import { fieldsOf } from '../fields.ts'

const DEFAULT_RETRY_AFTER_MS = 5_000
/** An error is told at the beginning of a body, whatever follows. */
const LONGEST_BODY_CHARACTERS = 64 * 1024

const aboutContext =
  /context_length_exceeded|exceed_context_size|maximum context length|available context size|context window|prompt is too long/i
// Vendors also say 400 and 429 about a bad key or an unpaid bill, which no client of ours can mend.
const aboutOurAccount =
  /insufficient_quota|(spend|usage)_limit_exceeded|credit[ _]balance|(invalid|incorrect)[ _]api[ _]key|api key not valid/i
const aboutLoad = /overloaded|rate_limit|too_many_requests|server_busy|insufficient_system_resource/i
/** A backend that does not have the model it is asked for, or nothing at all at this path, is set up wrongly. */
const aboutSetup = /model|deployment|"detail":\s*"not found"/i

/**
 * A backend's refusal as ours. What it says is about our key, our account and our hosts: clients get sentences of our
 * own, the log gets the short names it uses. `retryAfterMs` is what the backend has asked for.
 */
export function readError(status: number, body: unknown, retryAfterMs = DEFAULT_RETRY_AFTER_MS): ServiceError {
  const text = writtenOut(body)
  return errorOf(status, text, causeOf(`HTTP ${status}`, text), retryAfterMs)
}

/** The failure told within a stream, after a status of 200. A numeric code is the status it would have had. */
export function readStreamedError(error: unknown): ServiceError {
  const text = writtenOut(error)
  const code = Number(fieldsOf(error)?.['code'])
  const status = code >= 400 && code < 600 ? code : aboutLoad.test(text) ? 503 : aboutContext.test(text) ? 400 : 500
  return errorOf(status, text, causeOf('in the stream', text), DEFAULT_RETRY_AFTER_MS)
}

function errorOf(status: number, text: string, cause: Error, retryAfterMs: number): ServiceError {
  const isAboutRequest = status === 400 || status === 404 || status === 413 || status === 422
  if (isAboutRequest && aboutContext.test(text)) return contextExceeded(cause)
  if (status === 401 || status === 402 || status === 403 || aboutOurAccount.test(text)) return setUpWrong(cause)
  if (status === 404 && (aboutSetup.test(text) || !text.includes('{'))) return failed(cause)
  if (isAboutRequest) return refused(cause)
  if (status === 429 || status === 503 || status === 529) return overloaded(retryAfterMs, cause)
  return failed(cause)
}

function writtenOut(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
  return text.slice(0, LONGEST_BODY_CHARACTERS)
}
