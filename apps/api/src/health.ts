import type { FastifyInstance } from 'fastify'

export type HealthDeps = {
  /** Resolves when the dependency answers. */
  checks: Record<'postgres' | 'redis', () => Promise<unknown>>
  isDraining: () => boolean
}

/**
 * /healthz: the process turns. /readyz: it takes requests; 503 only while it drains. A dependency that is away is told but
 * does not make a replica unready: its 503 with Retry-After serves clients better than no replica at all.
 */
export function health({ checks, isDraining }: HealthDeps) {
  return async (app: FastifyInstance) => {
    const schema = { hide: true }
    app.get('/healthz', { schema }, async () => ({ status: 'ok' }))
    app.get('/readyz', { schema }, async (_, reply) => {
      const [postgres, redis] = await Promise.all([stateOf(checks.postgres), stateOf(checks.redis)])
      const draining = isDraining()
      return reply.code(draining ? 503 : 200).send({ status: draining ? 'draining' : 'ready', postgres, redis })
    })
  }
}

const stateOf = (check: () => Promise<unknown>): Promise<'ok' | 'unreachable'> =>
  check().then(
    () => 'ok',
    () => 'unreachable',
  )
