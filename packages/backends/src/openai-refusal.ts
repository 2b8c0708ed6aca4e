import type { Dispatcher } from 'undici'
import type { ServiceError } from '@weir/contracts'
import { contextExceeded, failed, overloaded, refused } from './backend-errors.ts'

const LARGEST_ERROR_BYTES = 64 * 1024
const LONGEST_CAUSE_CHARACTERS = 500
const DEFAULT_RETRY_AFTER_MS = 5_000
const SHORTEST_RETRY_AFTER_MS = 1_000
// Official clients ignore hints of a minute and more, or sleep however long they are told to.
const LONGEST_RETRY_AFTER_MS = 59_000

const aboutContext =
  /context_length_exceeded|exceed_context_size|maximum context length|available context size|prompt is too long/i
// Vendors also say 400 and 429 about a bad key or an unpaid bill, which no client of ours can mend.
const aboutOurAccount =
  /insufficient_quota|(spend|usage)_limit_exceeded|credit[ _]balance|(invalid|incorrect) api key|api key not valid/i
const aboutLoad = /overloaded|rate_limit|too_many_requests|server_busy/i

/** The failure behind an answer that is not 200. Reads no more of its body than an error needs. */
export async function refusalOf(response: Dispatcher.ResponseData): Promise<ServiceError> {
  const body = await textOf(response.body)
  const cause = causeOf(`HTTP ${response.statusCode}`, body)
  return errorOf(response.statusCode, body, cause, retryAfterOf(response.headers))
}

/** The failure told within a stream, after a status of 200. A numeric code is the status it would have had. */
export function streamedErrorOf(error: unknown): ServiceError {
  const text = JSON.stringify(error)
  const code = Number((error as { code?: unknown }).code)
  const status = Number.isInteger(code) ? code : aboutLoad.test(text) ? 503 : aboutContext.test(text) ? 400 : 500
  return errorOf(status, text, causeOf('in the stream', text), DEFAULT_RETRY_AFTER_MS)
}

function errorOf(status: number, body: string, cause: Error, retryAfterMs: number): ServiceError {
  const isAboutRequest = status === 400 || status === 413 || status === 422
  if (isAboutRequest && aboutContext.test(body)) return contextExceeded(cause)
  if (aboutOurAccount.test(body)) return failed(cause)
  if (isAboutRequest) return refused(cause)
  if (status === 429 || status === 503 || status === 529) return overloaded(retryAfterMs, cause)
  return failed(cause)
}

/**
 * What the log may hold of a vendor's answer: where it came from, and the short names it gives the error. Its sentences
 * may quote the prompt or name our key.
 */
function causeOf(where: string, body: string): Error {
  const names = [...body.matchAll(/"(?:code|type|param|status)"\s*:\s*"?([\w.-]{1,64})"?/g)].map(([, name]) => name)
  return new Error([where, ...new Set(names)].join(' ').slice(0, LONGEST_CAUSE_CHARACTERS))
}

/** Retry-After in either of its forms, seconds or a date. */
function retryAfterOf(headers: Dispatcher.ResponseData['headers']): number {
  const value = String(headers['retry-after'] ?? '')
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  if (Number.isNaN(ms)) return DEFAULT_RETRY_AFTER_MS
  return Math.round(Math.min(Math.max(ms, SHORTEST_RETRY_AFTER_MS), LONGEST_RETRY_AFTER_MS))
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (size >= LARGEST_ERROR_BYTES) break
  }
  return Buffer.concat(parts).subarray(0, LARGEST_ERROR_BYTES).toString()
}
