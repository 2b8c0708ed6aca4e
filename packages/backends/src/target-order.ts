import type { CompletionRequest, Microcredits, Model, Target } from '@weir/contracts'
import { holds, lookAt } from './conditions.ts'
import { refusalByTarget } from './fit-target.ts'
import { weighted } from './weighted.ts'

export type Routed = {
  model: Pick<Model, 'id' | 'targets' | 'contextWindow'>
  request: CompletionRequest
  quote?: Microcredits
  random?: () => number
}

/** The targets that a request may go to, in the order in which they are asked. */
export function orderOf({ model, request, quote, random = Math.random }: Routed): Target[] {
  const { targets } = model
  if (targets.length === 1) return [...targets]

  const able = targets.filter((target) => !refusalByTarget(request, target, model, (what) => what))
  const looked = able.some(({ when }) => when) ? lookAt(request, quote) : undefined
  const willing = able.filter(({ when }) => !when || !looked || holds(when, looked))
  // It was accepted, by a catalogue that may have changed since: it runs somewhere, as best it can.
  const chosen = [willing, able, targets].find((some) => some.length > 0)!
  const byPriority = Map.groupBy(chosen, ({ priority = 0 }) => priority)
  return [...byPriority]
    .toSorted(([one], [other]) => one - other)
    .flatMap(([, group]) => (group.some(({ weight }) => weight !== undefined) ? weighted(group, random) : group))
}
