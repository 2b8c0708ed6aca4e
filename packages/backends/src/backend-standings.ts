import { type Catalogue, quotaGroupOf } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { targetName } from './backend.ts'
import { readHealth } from './published-health.ts'
import { readQuota } from './quota.ts'
import { createSlots } from './slots.ts'
import type { TargetStanding } from './target-health.ts'

/** How a backend does, over all workers. */
export type BackendStanding = {
  name: string
  kind: string
  /** Calls under way, where there is a limit to them. */
  slots: { limit: number; inUse: number } | undefined
  quotaGroup: string
  targets: TargetOverview[]
}

export type TargetOverview = {
  target: string
  /** The models that it serves. */
  models: string[]
  quotaGroup: string
  /** For how much longer its vendor wants to be left alone, in milliseconds; 0 when it may be called. */
  coolingMs: number
  workers: (Omit<TargetStanding, 'target'> & { worker: string })[]
}

/** Asks Redis what the workers say of the catalogue's targets. A worker that has called a target never says nothing of it. */
export function createBackendStandings(
  redis: Redis,
  prefix: string,
  { backends, models }: Pick<Catalogue, 'backends' | 'models'>,
): () => Promise<BackendStanding[]> {
  const slots = createSlots(redis, prefix)

  return async () => {
    const [workers, closed] = await Promise.all([readHealth(redis, prefix), readQuota(redis, prefix)])
    const targets = overviewsOf(models, workers, closed)
    const standings = [...backends].map(async ([name, config]): Promise<BackendStanding> => {
      const limit = config.slots
      return {
        name,
        kind: config.kind,
        slots: limit === undefined ? undefined : { limit, inUse: await slots.held(name) },
        quotaGroup: quotaGroupOf(name, config),
        targets: [...targets.values()].filter(({ backend }) => backend === name),
      }
    })
    return Promise.all(standings)
  }
}

type Overviews = Map<string, TargetOverview & { backend: string }>

function overviewsOf(
  models: Catalogue['models'],
  workers: Awaited<ReturnType<typeof readHealth>>,
  closed: Map<string, number>,
): Overviews {
  const overviews: Overviews = new Map()
  for (const model of models) {
    for (const target of model.targets) {
      const name = targetName(target)
      const { backend, quotaGroup = backend } = target
      const overview = overviews.get(name) ?? {
        backend,
        target: name,
        models: [],
        quotaGroup,
        coolingMs: closed.get(quotaGroup) ?? 0,
        workers: workers.flatMap(({ worker, targets }) =>
          targets.flatMap(({ target: seen, ...standing }) => (seen === name ? [{ worker, ...standing }] : [])),
        ),
      }
      if (!overview.models.includes(model.id)) overview.models.push(model.id)
      overviews.set(name, overview)
    }
  }
  return overviews
}
