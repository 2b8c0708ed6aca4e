import { ServiceError, toServiceError } from '@weir/contracts'

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
])

// Postgres, Appendix A: class 08 is a lost connection, 57P0x a server that stops or starts, 53xxx one that is full;
// 57014, 55P03 and 40P01 are a statement cut off by a time limit or a deadlock.
const postgresCodes = /^(08|57P|53|57014|55P03|40P01)/

// What `pg` and `ioredis` say without a code when the other side is away or too slow.
const messages =
  /Connection terminated|connection terminated|timeout exceeded when trying to connect|Query read timeout|is not queryable|Connection is closed|Stream isn't writeable|max retries per request|Command timed out|Reached the max|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY Redis|Socket timeout|OOM command/

/** Whether an error says that Postgres or Redis is away, full or too slow, rather than that we asked for something wrong. */
export function isDependencyError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof ServiceError) return error.code === 'service_unavailable'
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (connectionCodes.has(code) || postgresCodes.test(code))) return true
  if (error instanceof AggregateError) return error.errors.some(isDependencyError)
  return messages.test(error.message)
}

const unreachableCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN', '57P03', '53300'])

/** Whether an error says that the server was not even reached: what was to be sent has certainly had no effect. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.every(isUnreachable)
  const { code } = error as { code?: unknown }
  return unreachableCodes.has(String(code)) || error.message.includes('timeout exceeded when trying to connect')
}

/** Whatever was thrown, as a ServiceError: a dependency that is away is a 503 that says when to try again. */
export function designedError(error: unknown): ServiceError {
  if (error instanceof ServiceError || !isDependencyError(error)) return toServiceError(error)
  return new ServiceError('service_unavailable', 'The service is temporarily unavailable. Please try again shortly.', {
    retryAfterMs: 1_000,
    cause: error,
  })
}
