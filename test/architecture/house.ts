import { posix } from 'node:path'
import { parseSource, type SourceFile } from './source-file.ts'

export type Package = {
  /** Its folder below the root, such as `packages/ledger`. */
  folder: string
  name: string
  /** What others may import, and the file behind it. */
  doors: ReadonlyMap<string, string>
  dependencies: readonly string[]
  devDependencies: readonly string[]
}

/** The code as the rules see it: no disk, so that a test can build a house that breaks them. */
export type House = {
  packages: readonly Package[]
  sources: readonly SourceFile[]
  /** All paths that are there. */
  paths: ReadonlySet<string>
  /** What every test may use: the root's devDependencies. */
  tools: readonly string[]
}

export type Violation = { file: string; line: number; what: string; rule: string }

/** One line of a report, which an editor can follow. */
export const printed = ({ file, line, what, rule }: Violation): string => `${file}:${line} ${what}: ${rule}`

/** A house from its files, by path below the root. Only the text of sources and manifests matters. */
export function houseOf(files: ReadonlyMap<string, string>): House {
  const manifests = [...files].filter(([path]) => posix.basename(path) === 'package.json')
  const sources = [...files].filter(([path]) => path.includes('/') && path.endsWith('.ts') && !path.endsWith('.d.ts'))
  const rootManifest = JSON.parse(files.get('package.json') ?? '{}') as Manifest
  return {
    packages: manifests.filter(([path]) => path.includes('/')).map(([path, text]) => packageOf(path, text)),
    sources: sources.map(([path, text]) => parseSource(path, text)),
    paths: new Set(files.keys()),
    tools: Object.keys(rootManifest.devDependencies ?? {}),
  }
}

/** The package that a path lies in. */
export function packageAt(house: House, path: string): Package | undefined {
  return house.packages.find(({ folder }) => path.startsWith(`${folder}/`))
}

/** The file an import leads to, when it is one of ours. */
export function targetOf(house: House, from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  for (const { doors } of house.packages) {
    const file = doors.get(specifier)
    if (file) return file
  }
  return undefined
}

/** Code that is never part of the running service: tests, and what only they use. */
export function isTestCode(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts') || /\/(testing|bench)\//.test(path)
}

type Manifest = {
  name?: string
  exports?: string | Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

function packageOf(path: string, text: string): Package {
  const manifest = JSON.parse(text) as Manifest
  const folder = posix.dirname(path)
  const name = manifest.name ?? folder
  const exported = typeof manifest.exports === 'string' ? { '.': manifest.exports } : (manifest.exports ?? {})
  const doors = Object.entries(exported).map(
    ([key, file]) => [posix.join(name, key), posix.join(folder, file)] as const,
  )
  return {
    folder,
    name,
    doors: new Map(doors),
    dependencies: Object.keys(manifest.dependencies ?? {}),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
  }
}
