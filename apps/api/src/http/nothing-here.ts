import { ServiceError } from '@weir/contracts'
import type { FastifyRequest } from 'fastify'

/** Other APIs of the two vendors, and what does the same here. */
const instead: Readonly<Record<string, string>> = {
  '/v1/responses': '/v1/chat/completions',
  '/v1/completions': '/v1/chat/completions',
  '/v1/complete': '/v1/messages',
}

const ours = /^\/(?:chat\/completions|messages|models|credits|usage)(?:\/|$)/

/** The 404 for a path without a route. It says where to go, where a client has likely mistaken the path or its base URL. */
export function nothingHere({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): ServiceError {
  const path = url.split('?', 1)[0]!.slice(0, 200)
  return new ServiceError('not_found', [`There is nothing at ${method} ${path}.`, adviceFor(path)].join(' ').trimEnd())
}

function adviceFor(path: string): string {
  const same = instead[path]
  if (same !== undefined) return `That API is not served here: use POST ${same}.`
  if (ours.test(path)) return "Does the base URL lack '/v1'?"
  if (path.startsWith('/v1/v1/')) return "Does the base URL end in '/v1', which this client adds by itself?"
  return path.startsWith('/v1/') ? 'GET /openapi.json tells what there is.' : ''
}
