import { timingSafeEqual } from 'node:crypto'
import { ServiceError } from '@weir/contracts'
import type { Identity, IdentityCache } from '@weir/store'
import type { FastifyRequest, preHandlerHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity
  }
}

const bearer = /^Bearer ([\x21-\x7e]{1,256})$/i
const printable = /^[\x21-\x7e]{1,256}$/

export function bearerOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  return bearer.exec(headers.authorization ?? '')?.[1]
}

/** The API key of a request. Clients of Anthropic's older generation send `x-api-key`; where both are there, it counts. */
export function apiKeyOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = request.headers['x-api-key']
  if (key === undefined) return bearerOf(request)
  return typeof key === 'string' && printable.test(key) ? key : undefined
}

/** Lets a request pass that shows a live API key, and notes on it who is asking. */
export function createAuthenticate(keys: Pick<IdentityCache, 'identify'>): preHandlerHookHandler {
  return async (request) => {
    const secret = apiKeyOf(request)
    if (!secret)
      throw new ServiceError(
        'invalid_api_key',
        "Send your API key as 'Authorization: Bearer weir_sk_…' or as 'x-api-key: weir_sk_…'.",
      )
    const identity = await keys.identify(secret)
    if (!identity)
      throw new ServiceError('invalid_api_key', 'The API key is not valid: it is mistyped, unknown or revoked.')
    request.identity = identity
  }
}

/** Lets a request pass that shows the operator's key. */
export function createAuthenticateAdmin(adminKey: string): preHandlerHookHandler {
  const expected = Buffer.from(adminKey)
  return async (request) => {
    const secret = bearerOf(request)
    if (!secret) throw new ServiceError('invalid_api_key', "Send the admin key as 'Authorization: Bearer …'.")
    const given = Buffer.from(secret)
    if (given.length === expected.length && timingSafeEqual(given, expected)) return
    throw new ServiceError('invalid_api_key', 'This is not the admin key.')
  }
}
