import { ServiceError, errors } from '@weir/contracts'
import { designedError } from '@weir/runtime'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { dialectOf } from './dialect-of.ts'
import { nothingHere } from './nothing-here.ts'

/** What Fastify refuses before any handler runs, by its own code. */
const refusals: Record<string, (request: FastifyRequest) => ServiceError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ({ routeOptions: { bodyLimit } }) =>
    new ServiceError('request_too_large', `The request body is too large: it may have ${bodyLimit} bytes.`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new ServiceError('unsupported_media_type', "Send the request body as 'Content-Type: application/json'."),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new ServiceError('invalid_request', 'The request body is not valid JSON.'),
}

function serviceErrorOf(error: FastifyError, request: FastifyRequest): ServiceError {
  const refusal = refusals[error.code]
  if (refusal) return refusal(request)
  if (!(error instanceof ServiceError) && error.statusCode && error.statusCode >= 400 && error.statusCode < 500) {
    return new ServiceError(error.statusCode === 408 ? 'request_timeout' : 'invalid_request', error.message)
  }
  return designedError(error)
}

/** Every failure of every route leaves through here, in the envelope of the API that its client speaks. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const error = serviceErrorOf(thrown, request)
    if (error.code === 'internal') request.log.error({ err: error.cause }, 'request failed')
    else if (errors[error.code].status >= 500) request.log.warn({ err: error.cause ?? error }, error.code)
    return sendError(request, reply, error)
  })
  app.setNotFoundHandler((request, reply) => sendError(request, reply, nothingHere(request)))
}

/** A path that cannot be read reaches no route and no hook: it is named and refused here. */
export function refuseUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id).header('request-id', request.id)
  void sendError(request, reply, serviceErrorOf(error, request))
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: ServiceError): FastifyReply {
  const { status } = errors[error.code]
  // Clients repeat any 5xx and 409 by themselves; where that cannot help we say so (both vendors' SDKs obey it).
  if ((status >= 500 || status === 409) && !error.retryable) reply.header('x-should-retry', 'false')
  if (status === 429 || status === 503) {
    // Clients ignore, or sleep through, anything of a minute and more: 1 to 59 seconds.
    const retryAfterMs = Math.min(Math.max(error.retryAfterMs ?? 1_000, 1_000), 59_000)
    reply.header('retry-after', Math.ceil(retryAfterMs / 1_000)).header('retry-after-ms', retryAfterMs)
  }
  // Cut off while it sends, a client would not read why; what it sends on is thrown away until the request times out.
  if (error.code === 'request_too_large') reply.removeHeader('connection')
  return reply.code(status).send(dialectOf(request).renderError(error, request.id))
}
