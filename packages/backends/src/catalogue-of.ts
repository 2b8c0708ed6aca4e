import {
  type BackendConfig,
  type Capability,
  type Catalogue,
  type Model,
  type Rule,
  type Target,
  quotaGroupOf,
} from '@weir/contracts'
import { targetName } from './backend.ts'
import { capabilitiesOf, carriedBy } from './capabilities-of.ts'
import { namesOf } from './catalogue-names.ts'

/**
 * `direct`: whether clients may name a target as `backend/model`. Where nobody has said, such a name leads to the model
 * that the target serves first, with all of its targets; where it was allowed, to that target alone.
 */
export type Names = { direct?: boolean | undefined; directOf?: ReadonlyMap<Model, boolean> }

/** Fills in what a model and its targets have from their backends, whoever wrote the model down. */
export function completed(model: Model, backends: ReadonlyMap<string, BackendConfig>): Model {
  const targets = model.targets.map((target): Target => {
    const config = backends.get(target.backend)
    if (!config) throw new Error(`target ${targetName(target)} names no backend`)
    return {
      ...target,
      capabilities: target.capabilities ?? capabilitiesThere(model, config),
      quotaGroup: target.quotaGroup ?? quotaGroupOf(target.backend, config),
      config,
    }
  })
  const capabilities = model.capabilities ?? [...new Set(targets.flatMap((target) => target.capabilities ?? []))]
  return { ...model, targets, capabilities }
}

/** What is said of a model counts for each of its targets, as far as the words of its backend reach. */
function capabilitiesThere({ capabilities }: Model, config: BackendConfig): readonly Capability[] {
  const carried = carriedBy(config.kind)
  return capabilities?.filter((capability) => carried.includes(capability)) ?? capabilitiesOf(config)
}

/** A catalogue that can be asked. Models are in order of preference; without a default, `auto` is the cheapest that can. */
export function catalogueOf(
  backends: ReadonlyMap<string, BackendConfig>,
  models: readonly Model[],
  { rules = [], auto, names = {} }: { rules?: readonly Rule[]; auto?: Rule | undefined; names?: Names } = {},
): Catalogue {
  const byName = new Map<string, Model>()
  // Direct names come first here and yield to ids and aliases of the same spelling.
  for (const model of [...models].reverse()) nameTargets(byName, model, names.directOf?.get(model) ?? names.direct)
  for (const model of models) for (const name of namesOf(model)) byName.set(name, model)

  const ruleByName = new Map(rules.flatMap((rule) => namesOf(rule).map((name) => [name, rule] as const)))
  return {
    backends,
    models,
    rules,
    find: (name) => byName.get(name),
    ruleOf: (name) => ruleByName.get(name),
    auto: auto ?? cheapestOf(models, backends),
  }
}

function nameTargets(byName: Map<string, Model>, model: Model, direct: boolean | undefined): void {
  if (direct === undefined) return void byName.set(targetName(model.targets[0]!), model)
  if (!direct) return
  for (const target of model.targets.toReversed()) {
    const name = targetName(target)
    byName.set(name, { ...model, targets: [target], only: name })
  }
}

/** A made-up answer is nobody's default where there is a real one. */
function cheapestOf(models: readonly Model[], backends: ReadonlyMap<string, BackendConfig>): Rule {
  const isReal = ({ targets }: Model) => targets.some(({ backend }) => backends.get(backend)?.kind !== 'simulated')
  const real = models.filter(isReal)
  if (real.length > 0) return autoRule(real, 'cheapest')
  const first = models[0]
  if (!first) throw new Error('a catalogue needs a model')
  return autoRule([first], 'first')
}

export const autoRule = (models: readonly Model[], pick: Rule['pick']): Rule => ({
  id: 'auto',
  aliases: [],
  pick,
  candidates: models.map((model) => ({ model, weight: 1 })),
  cases: [],
})
