import { type ServiceError, errors } from '@weir/contracts'

const types: Record<number, string> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  410: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** The error envelope of Anthropic. Our own code, the field that is wrong and all else that we know are its details. */
export function renderError(error: ServiceError, requestId?: string) {
  const { code, message, param, extra } = error
  return {
    type: 'error' as const,
    error: { type: typeOf(errors[code].status), message, details: { error_code: code, param, ...extra } },
    request_id: requestId ?? null,
  }
}

const typeOf = (status: number): string => types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')

/** An error after the first byte. Without the name of its event the SDKs would not see it. */
export const renderErrorEvent = (error: ServiceError, requestId?: string): string =>
  `event: error\ndata: ${JSON.stringify(renderError(error, requestId))}\n\n`
