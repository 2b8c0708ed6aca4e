import type { BackendConfig, Catalogue, Model } from '@weir/contracts'
import { targetName } from './backend.ts'

/** All names a model goes by, its id first. */
export const namesOf = (model: Model): string[] => [model.id, ...model.aliases]

/** A catalogue that can be asked. Models are in order of preference; the default is the first unless it is named. */
export function catalogueOf(
  backends: ReadonlyMap<string, BackendConfig>,
  models: readonly Model[],
  defaultName?: string,
): Catalogue {
  const byName = new Map<string, Model>()
  // `backend/model`, as answers name the target that served, leads back to the model it serves first.
  // Such names come first here and yield to ids and aliases of the same spelling.
  for (const model of [...models].reverse()) byName.set(targetName(model.targets[0]!), model)
  for (const model of models) for (const name of namesOf(model)) byName.set(name, model)

  const byDefault = defaultName === undefined ? models[0] : byName.get(defaultName)
  if (!byDefault) throw new Error('a catalogue needs a model')
  return { backends, models, find: (name) => byName.get(name), default: byDefault }
}
