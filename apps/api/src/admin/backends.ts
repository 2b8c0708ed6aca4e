import type { BackendStanding } from '@weir/backends'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { adminSchema } from './shared.ts'

export type BackendsDeps = { backendStandings: () => Promise<BackendStanding[]> }

const Seen = z.object({
  worker: z.string(),
  breaker: z
    .enum(['closed', 'open', 'half_open'])
    .describe('`open`: it is passed over, `half_open`: one call probes it'),
  successes: z.int().describe('Calls that it answered, of the last hundred and the last five minutes'),
  failures: z.int().describe('Calls that failed through no fault of the request, of the same'),
  last_error: z.object({ code: z.string(), at: z.string() }).nullable(),
})

const TargetBody = z.object({
  target: z.string().describe('`backend/model`'),
  models: z.array(z.string()).describe('The models that it serves'),
  quota_group: z.string(),
  cooling_until: z.string().nullable().describe('Until when its vendor wants to be left alone'),
  workers: z.array(Seen).describe('As each worker sees it that has called it'),
})

const BackendBody = z.object({
  object: z.literal('backend'),
  name: z.string(),
  kind: z.string(),
  slots: z.object({ limit: z.int(), in_use: z.int() }).nullable().describe('null where calls are not limited'),
  quota_group: z.string(),
  targets: z.array(TargetBody),
})

/** GET /backends: how the backends and their targets do, over all workers. */
export function backends({ backendStandings }: BackendsDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/backends',
      {
        schema: {
          ...adminSchema,
          summary: 'Show how the backends do',
          response: {
            200: z.object({ object: z.literal('list'), data: z.array(BackendBody) }),
            '4xx': ErrorBody,
            '5xx': ErrorBody,
          },
        },
      },
      async () => {
        const now = Date.now()
        const standings = await backendStandings()
        return { object: 'list' as const, data: standings.map((standing) => render(standing, now)) }
      },
    )
  }
}

const render = ({ name, kind, slots, quotaGroup, targets }: BackendStanding, now: number) => ({
  object: 'backend' as const,
  name,
  kind,
  slots: slots ? { limit: slots.limit, in_use: slots.inUse } : null,
  quota_group: quotaGroup,
  targets: targets.map(({ target, models, quotaGroup: quota_group, coolingMs, workers }) => ({
    target,
    models,
    quota_group,
    cooling_until: coolingMs > 0 ? new Date(now + coolingMs).toISOString() : null,
    workers: workers.map(({ worker, breaker, successes, failures, lastError }) => ({
      worker,
      breaker,
      successes,
      failures,
      last_error: lastError ? { code: lastError.code, at: new Date(lastError.at).toISOString() } : null,
    })),
  })),
})
