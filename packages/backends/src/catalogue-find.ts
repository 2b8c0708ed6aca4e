import type { BackendConfig, Model } from '@weir/contracts'
import type { ReadModel } from './catalogue-model.ts'
import { type FindModel, type Named, namesOf } from './catalogue-names.ts'
import { type Names, catalogueOf } from './catalogue-of.ts'

/** How rules find models; `known` are names to suggest. */
export type ModelNames = { find: FindModel; known: readonly string[] }

export type FoundModels = {
  backends: ReadonlyMap<string, BackendConfig>
  read: readonly ReadModel[]
  /** In the same order; undefined for those that are broken. */
  models: readonly (Model | undefined)[]
  direct: boolean | undefined
}

/** Finds models by all their names while some of them may be broken: one of those may be the one that is meant. */
export function modelNames({ backends, read, models, direct }: FoundModels): ModelNames {
  const whole = models.flatMap((model) => model ?? [])
  const catalogue =
    whole.length > 0 ? catalogueOf(backends, whole, { names: directNames({ read, models, direct }) }) : undefined
  const broken = read.filter((_, index) => !models[index]).map(({ names }) => names)
  return {
    find: (name) => {
      const found = catalogue?.find(name)
      if (found) return found
      // It may be the name of a target.
      const isMeant = name.includes('/') ? broken.length > 0 : mayBe(name, broken)
      return isMeant ? 'broken' : undefined
    },
    known: [
      ...whole.flatMap(namesOf),
      ...broken.flatMap(({ id, aliases = [] }) => (id === undefined ? aliases : [id, ...aliases])),
    ],
  }
}

/** Whether clients may name the targets of each model. */
export const directNames = ({ read, models, direct }: Omit<FoundModels, 'backends'>): Names => ({
  direct,
  directOf: new Map(
    models.flatMap((model, index) => {
      const own = read[index]?.direct
      return model && own !== undefined ? [[model, own] as const] : []
    }),
  ),
})

/** Whether one of them goes by a name, as far as anybody can tell. */
export const mayBe = (name: string, all: readonly Named[]): boolean =>
  all.some(({ id, aliases }) => id === undefined || aliases === undefined || id === name || aliases.includes(name))
