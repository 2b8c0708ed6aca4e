/**
 * Every error a client can meet, once: its status, the type of the OpenAI envelope, and whether repeating the same
 * request can help. Statuses are chosen for what the official clients do with them (402 and 400 are never repeated).
 */
export const errors = {
  invalid_request: { status: 400, type: 'invalid_request_error', retryable: false },
  unknown_parameter: { status: 400, type: 'invalid_request_error', retryable: false },
  unsupported_parameter: { status: 400, type: 'invalid_request_error', retryable: false },
  idempotency_key_reused: { status: 400, type: 'invalid_request_error', retryable: false },
  context_length_exceeded: { status: 400, type: 'invalid_request_error', retryable: false },
  file_quota_exceeded: { status: 400, type: 'invalid_request_error', retryable: false },
  invalid_api_key: { status: 401, type: 'invalid_request_error', retryable: false },
  credit_balance_exhausted: { status: 402, type: 'insufficient_quota', retryable: false },
  key_limit_exceeded: { status: 402, type: 'insufficient_quota', retryable: false },
  account_frozen: { status: 403, type: 'permission_error', retryable: false },
  not_found: { status: 404, type: 'invalid_request_error', retryable: false },
  model_not_found: { status: 404, type: 'invalid_request_error', retryable: false },
  request_timeout: { status: 408, type: 'invalid_request_error', retryable: true },
  not_finished: { status: 409, type: 'invalid_request_error', retryable: false },
  file_in_use: { status: 409, type: 'invalid_request_error', retryable: false },
  already_ended: { status: 409, type: 'invalid_request_error', retryable: false },
  stream_expired: { status: 410, type: 'invalid_request_error', retryable: false },
  request_too_large: { status: 413, type: 'invalid_request_error', retryable: false },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', retryable: false },
  range_not_satisfiable: { status: 416, type: 'invalid_request_error', retryable: false },
  headers_too_large: { status: 431, type: 'invalid_request_error', retryable: false },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error', retryable: true },
  cancelled: { status: 499, type: 'invalid_request_error', retryable: false },
  internal: { status: 500, type: 'server_error', retryable: true },
  stream_interrupted: { status: 500, type: 'server_error', retryable: true },
  backend_error: { status: 502, type: 'server_error', retryable: true },
  backend_overloaded: { status: 503, type: 'server_error', retryable: true },
  overloaded: { status: 503, type: 'server_error', retryable: true },
  service_unavailable: { status: 503, type: 'server_error', retryable: true },
  wait_exceeded: { status: 504, type: 'server_error', retryable: false },
  deadline_exceeded: { status: 504, type: 'server_error', retryable: false },
} as const satisfies Record<string, { status: number; type: string; retryable: boolean }>

export type ErrorCode = keyof typeof errors

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errors, code)

export type ServiceErrorDetails = {
  /** The field of the request that is wrong, as a path: `messages[0].content`. */
  param?: string
  /** How long to wait before asking again, in milliseconds; sent as Retry-After. */
  retryAfterMs?: number
  /** Whether repeating the request can help, where it is not as with others of its code. */
  retryable?: boolean
  /** More keys of the error object on the wire, such as the balance of a 402. */
  extra?: Record<string, unknown>
  cause?: unknown
}

/** A failure with a designed answer. The message is for the client: what happened and what to do. */
export class ServiceError extends Error {
  readonly code: ErrorCode
  readonly param: string | undefined
  readonly retryAfterMs: number | undefined
  readonly retryable: boolean
  readonly extra: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, details: ServiceErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ServiceError'
    this.code = code
    this.param = details.param
    this.retryAfterMs = details.retryAfterMs
    this.retryable = details.retryable ?? errors[code].retryable
    this.extra = details.extra
  }
}

/** Whatever was thrown, as a ServiceError: what nobody designed is `internal`, its message kept from the client. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  return new ServiceError('internal', 'Something went wrong on our side. Please try again.', { cause: error })
}
