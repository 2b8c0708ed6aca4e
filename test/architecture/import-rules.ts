import { builtinModules } from 'node:module'
import { type House, isTestCode, type Package, packageAt, targetOf, type Violation } from './house.ts'
import { isRoom, keepers, mayImport, testingDoor, testServers } from './rooms.ts'
import type { SourceFile } from './source-file.ts'

/** Dynamic imports of a path found at run time, which no rule can follow. */
export const computedImports: Record<string, string> = {
  'infra/local/src/postgres-programs.ts': 'the Postgres of this machine is an optional package',
}

const builtins = new Set(builtinModules)

/** Each import that the map of the house does not allow. */
export function importViolations(house: House): Violation[] {
  return house.sources.flatMap((source) => {
    const owner = packageAt(house, source.path)
    if (!owner) return [{ file: source.path, line: 1, what: 'is there', rule: 'every file belongs to a package' }]
    const imports = source.imports.flatMap(({ line, specifier }) =>
      brokenRules(house, owner, source, specifier).map((rule) => ({
        file: source.path,
        line,
        what: `imports ${specifier}`,
        rule,
      })),
    )
    return [...imports, ...computedImportViolations(source)]
  })
}

function brokenRules(house: House, owner: Package, source: SourceFile, specifier: string): string[] {
  if (specifier.startsWith('.')) return brokenByRelative(house, owner, source.path, specifier)
  if (specifier.startsWith('node:')) return []
  if (builtins.has(specifier)) return [`a module of Node is imported as node:${specifier}`]
  if (/^(\/|#|file:|https?:)/.test(specifier)) return ['a package is imported by its name']
  return brokenByPackage(house, owner, source.path, specifier)
}

function brokenByRelative(house: House, owner: Package, from: string, specifier: string): string[] {
  const target = targetOf(house, from, specifier) ?? ''
  if (!target.startsWith(`${owner.folder}/`)) return [`a relative path stays in ${owner.folder}`]
  if (!house.paths.has(target)) return [`there is no file ${target}`]
  return !isTestCode(from) && isTestCode(target) ? ['what runs in production knows no tests'] : []
}

function brokenByPackage(house: House, owner: Package, from: string, specifier: string): string[] {
  const name = packageNameOf(specifier)
  const inTest = isTestCode(from)
  const broken: string[] = []

  const neighbour = house.packages.find((other) => other.name === name)
  if (name === owner.name) broken.push('a room reaches its own files by relative paths')
  else if (neighbour || name.startsWith('@weir/')) {
    const open = mayImport(owner.name)
    const allowed = (inTest && name === testServers) || (open.includes(name) && specifier !== testingDoor)
    if (!isRoom(owner.name)) broken.push(`${owner.name} is not on the map of rooms`)
    else if (!allowed && specifier === testingDoor) broken.push('what runs in production knows no tests')
    else if (!allowed) broken.push(`${owner.folder} may import ${open.join(', ') || 'no room'}`)
    if (!neighbour) broken.push('there is no such package')
    else if (!neighbour.doors.has(specifier)) broken.push(`${name} is entered by its door`)
  }

  const allowed = keepers[name]
  if (allowed && !allowed.includes(owner.name) && !inTest)
    broken.push(`only ${allowed.join(' and ')} may import ${name}`)

  const named = [...owner.dependencies, ...(inTest ? [...owner.devDependencies, ...house.tools] : [])]
  if (name !== owner.name && !named.includes(name)) {
    const isDev = owner.devDependencies.includes(name) || house.tools.includes(name)
    const rule = isDev ? 'a devDependency is for tests' : `${owner.folder}/package.json does not name ${name}`
    broken.push(rule)
  }
  return broken
}

function computedImportViolations({ path, computedImports: lines }: SourceFile): Violation[] {
  if (path in computedImports) return []
  return lines.map((line) => ({
    file: path,
    line,
    what: 'imports what it computes',
    rule: 'an import is a plain string',
  }))
}

/** `@weir/local/testing` belongs to `@weir/local`, `kysely/migration` to `kysely`. */
export function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
