import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, ServiceError, errors, newRequestId } from '@weir/contracts'
import { openai } from '@weir/dialects'

/** What Node's parser and its timeouts refuse; anything else is no HTTP. */
const refusals: Record<string, [ErrorCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The request headers are too large.'],
}

/** Refuses what never became a request, in the envelope of all other errors, and closes the connection. */
export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [code, message] = refusals[error.code ?? ''] ?? ['invalid_request', 'This is not a valid HTTP request.']
  const body = JSON.stringify(openai.renderError(new ServiceError(code, message)))
  const { status } = errors[code]
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${newRequestId()}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
