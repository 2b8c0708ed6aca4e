import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, ServiceError, errors, newRequestId } from '@weir/contracts'
import { anthropic, openai } from '@weir/dialects'

/** What Node's parser and its timeouts refuse; anything else is no HTTP. */
const refusals: Record<string, [ErrorCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The request headers are too large.'],
}

/** What was sent, as far as the parser had it, tells which API its client speaks. */
const anthropicMarks = /^[A-Z]+ \/v1\/messages|^anthropic-version:/im

type ParseError = Error & { code?: string; rawPacket?: unknown }

/** Refuses what never became a request, in the envelope of all other errors, and closes the connection. */
export function refuseMalformed(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [code, message] = refusals[error.code ?? ''] ?? ['invalid_request', 'This is not a valid HTTP request.']
  const sent = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : ''
  const { dialect } = anthropicMarks.test(sent) ? anthropic : openai
  const id = newRequestId()
  const body = JSON.stringify(dialect.renderError(new ServiceError(code, message), id))
  const { status } = errors[code]
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    `request-id: ${id}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
