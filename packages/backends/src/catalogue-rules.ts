import type { Candidate, Choice, Rule } from '@weir/contracts'
import { given } from '@weir/dialects'
import type { z } from 'zod'
import type { ModelNames } from './catalogue-find.ts'
import { conditionOf } from './catalogue-model.ts'
import { type Named, namesNone } from './catalogue-names.ts'
import { type Report, parsed, readableFields } from './catalogue-report.ts'
import { ListedModel, RuleEntry } from './catalogue-schema.ts'
import type { Path } from './yaml-document.ts'

/** A rule of a file, and what could be read of its names; after reporting what is wrong with it. */
export function readRule(
  value: unknown,
  path: Path,
  models: ModelNames,
  report: Report,
): { names: Named; rule: Rule | undefined } {
  const entry = parsed(RuleEntry, value, path, report)
  const read = entry ?? readableFields(RuleEntry, value)
  const { id, aliases, models: listed = readableItems(value), pick = 'cheapest', when = [] } = read
  const cases = when.map(({ if: condition, ...choice }, index) => ({
    when: conditionOf(condition),
    ...choiceOf({ pick, ...choice }, [...path, 'when', index], models, report),
  }))
  const choice = choiceOf({ pick, models: listed }, path, models, report)
  const { description, max_price: maxPrice } = read
  const rule = entry && { id: entry.id, aliases: entry.aliases, ...choice, cases, ...given({ description, maxPrice }) }
  return { names: { id, aliases }, rule }
}

/** Where one of a rule's models could not be read, the others still can. */
function readableItems(value: unknown): Listed[] {
  const models = (value as { models?: unknown } | null | undefined)?.models
  return Array.isArray(models) ? models.map((item) => ListedModel.safeParse(item).data) : []
}

type Listed = z.infer<typeof ListedModel> | undefined

function choiceOf(
  { pick, models: listed }: { pick: Choice['pick']; models: readonly Listed[] },
  path: Path,
  { find, known }: ModelNames,
  report: Report,
): Choice {
  const candidates = listed.flatMap((each, index): Candidate[] => {
    if (each === undefined) return []
    const { model: name, weight } = typeof each === 'string' ? { model: each, weight: 1 } : each
    const at = [...path, 'models', index, ...(typeof each === 'string' ? [] : ['model'])]
    const model = find(name)
    if (!model) report(at, namesNone('model', name, known))
    return !model || model === 'broken' ? [] : [{ model, weight }]
  })
  return { pick, candidates }
}
