import type { Candidate, Choice, Model, Rule } from '@weir/contracts'
import { conditionOf } from './catalogue-model.ts'
import { type Report, parsed } from './catalogue-report.ts'
import { type ChoiceEntry, RuleEntry } from './catalogue-schema.ts'
import { given } from './given.ts'
import type { Path } from './yaml-document.ts'

/** A model by any name that clients may use for it; `broken` where the file has one that could not be read. */
export type FindModel = (name: string) => Model | 'broken' | undefined

/** A rule of a file; undefined after reporting what is wrong with it. */
export function readRule(value: unknown, path: Path, find: FindModel, report: Report): Rule | undefined {
  const entry = parsed(RuleEntry, value, path, report)
  if (!entry) return undefined
  const pick = entry.pick ?? 'cheapest'
  return {
    id: entry.id,
    aliases: entry.aliases,
    ...choiceOf(entry, pick, path, find, report),
    cases: entry.when.map(({ if: condition, ...choice }, index) => ({
      when: conditionOf(condition),
      ...choiceOf(choice, pick, [...path, 'when', index], find, report),
    })),
    ...given({ description: entry.description, maxPrice: entry.max_price }),
  }
}

function choiceOf(entry: ChoiceEntry, pick: Choice['pick'], path: Path, find: FindModel, report: Report): Choice {
  const candidates = entry.models.flatMap((listed, index): Candidate[] => {
    const { model: name, weight } = typeof listed === 'string' ? { model: listed, weight: 1 } : listed
    const at = [...path, 'models', index, ...(typeof listed === 'string' ? [] : ['model'])]
    const model = find(name)
    if (!model) report(at, `names no model: ${name}`)
    return !model || model === 'broken' ? [] : [{ model, weight }]
  })
  return { pick: entry.pick ?? pick, candidates }
}
