import { checked } from '@weir/dialects'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isAnthropic } from './dialect-of.ts'

const Nothing = z.strictObject({})

/**
 * Refuses any query where a route has none, as a route with a schema of its query refuses what is not in it. Clients of
 * Anthropic's API add queries of their own, such as `beta=true`.
 */
export async function refuseUnknownQuery(request: FastifyRequest): Promise<void> {
  if (isAnthropic(request)) return
  if (request.routeOptions.schema?.querystring !== undefined) return
  const { error } = checked(Nothing, request.query)
  if (error) throw error
}
