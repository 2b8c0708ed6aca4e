import type { DependencyWatch } from '@weir/runtime'
import type { FastifyInstance } from 'fastify'

export type HealthDeps = {
  dependencies: Pick<DependencyWatch, 'states' | 'awayMs'>
  /** A dependency may be away for so long before the replica says that it is not ready. */
  unreadyAfterMs: number
  isDraining: () => boolean
}

/**
 * /healthz: the process turns, whatever it depends on; a restart would mend nothing. /readyz: it takes requests. It says 503
 * while it drains and once a dependency has been away for a while. Not at once: all replicas lose the same Redis in the
 * same moment, and their own 503s, with Retry-After, serve clients better than a balancer with nobody behind it.
 */
export function health({ dependencies, unreadyAfterMs, isDraining }: HealthDeps) {
  const status = () => {
    if (isDraining()) return 'draining'
    return dependencies.awayMs() > unreadyAfterMs ? 'unready' : 'ready'
  }
  return async (app: FastifyInstance) => {
    const schema = { hide: true }
    app.get('/healthz', { schema }, async () => ({ status: 'ok' }))
    app.get('/readyz', { schema }, async (_, reply) => {
      const now = status()
      return reply.code(now === 'ready' ? 200 : 503).send({ status: now, ...dependencies.states() })
    })
  }
}
