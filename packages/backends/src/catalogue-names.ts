import type { Model, Rule } from '@weir/contracts'
import { didYouMean } from '@weir/runtime'
import type { Report } from './catalogue-report.ts'
import type { Path } from './yaml-document.ts'

/** A model by any name that clients may use for it; `broken` where it may be one that could not be read. */
export type FindModel = (name: string) => Model | 'broken' | undefined

/** All names a model or a rule goes by, its id first. */
export const namesOf = ({ id, aliases }: Pick<Model | Rule, 'id' | 'aliases'>): string[] => [id, ...aliases]

/** What could be read of the names of an entry; undefined where one of them could not. */
export type Named = { id?: string | undefined; aliases?: string[] | undefined }

/** Names are taken as they are written. Two that differ in upper and lower case alone would be mistaken for one another. */
export function reportSameNames(lists: Record<string, readonly Named[]>, report: Report): void {
  const seen = new Map<string, string>()
  for (const [list, all] of Object.entries(lists)) {
    for (const [index, { id, aliases = [] }] of all.entries()) {
      const written: [Path, string | undefined][] = [[['id'], id], ...aliases.map(aliasAt)]
      for (const [field, name] of written)
        if (name !== undefined) reportSame(name, [list, index, ...field], seen, report)
    }
  }
}

const aliasAt = (name: string, index: number): [Path, string] => [['aliases', index], name]

export function reportSame(name: string, path: Path, seen: Map<string, string>, report: Report): void {
  const other = seen.get(name.toLowerCase())
  if (other === undefined) seen.set(name.toLowerCase(), name)
  else if (other === name) report(path, `is already the name of a model: ${name}`)
  else report(path, `differs from ${other} in upper and lower case alone, which names must not: ${name}`)
}

/** `kind` is what was looked for: a backend, or a model. */
export const namesNone = (kind: 'backend' | 'model', name: string, known: Iterable<string>): string =>
  `names no ${kind}: ${name}${didYouMean(name, known)}`
