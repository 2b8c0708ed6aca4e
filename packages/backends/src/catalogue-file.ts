import type { BackendConfig, Catalogue, Rule } from '@weir/contracts'
import { ConfigError } from '@weir/runtime'
import type { z } from 'zod'
import type { SecretOf } from './backend.ts'
import { readBackends } from './catalogue-backends.ts'
import { checkDefaults } from './catalogue-checks.ts'
import { type ModelNames, directNames, mayBe, modelNames } from './catalogue-find.ts'
import { type ReadModel, readModel } from './catalogue-model.ts'
import { namesNone, namesOf, reportSameNames } from './catalogue-names.ts'
import { autoRule, catalogueOf, completed } from './catalogue-of.ts'
import { createProblems, linesOf } from './catalogue-problems.ts'
import { type Report, parsed, readableFields } from './catalogue-report.ts'
import { readRule } from './catalogue-rules.ts'
import { CatalogueShape } from './catalogue-schema.ts'
import { warnOf } from './catalogue-warnings.ts'
import { type Path, type YamlDocument, openYaml } from './yaml-document.ts'

/** What a file's text describes; `catalogue` is there where it has no mistake. Each line tells a place, a field and what is wrong. */
export type CatalogueFile = { catalogue: Catalogue | undefined; mistakes: string[]; warnings: string[] }

/** The catalogue a file's text describes. Throws a ConfigError that lists what is wrong, as much as one can mend at a time. */
export function parseCatalogueFile(text: string, file: string, secretOf: SecretOf): Catalogue {
  const { catalogue, mistakes } = readCatalogueFile(text, file, secretOf)
  if (!catalogue) throw new ConfigError(`Model catalogue:\n  ${mistakes.join('\n  ')}`)
  return catalogue
}

/** The same, without throwing. What is wrong in one place hides nothing that is wrong in another, as far as that can be read. */
export function readCatalogueFile(text: string, file: string, secretOf: SecretOf): CatalogueFile {
  const yaml = openYaml(text)
  const mistakes = createProblems(yaml)
  const warnings = createProblems(yaml)
  for (const problem of yaml.problems) mistakes.add(problem)
  const catalogue = yaml.value === undefined ? undefined : readCatalogue(yaml, mistakes.report, secretOf)
  const isGood = catalogue && mistakes.all.length === 0
  if (isGood) warnOf(catalogue, warnings.report)
  return {
    catalogue: isGood ? catalogue : undefined,
    mistakes: linesOf(mistakes.all, file),
    warnings: linesOf(warnings.all, file),
  }
}

function readCatalogue(yaml: YamlDocument, report: Report, secretOf: SecretOf): Catalogue | undefined {
  const whole = parsed(CatalogueShape, yaml.value, [], report)
  const shape = whole ?? readableFields(CatalogueShape, yaml.value)

  const read = shape.backends && readBackends(shape.backends, report, secretOf)
  const backends = new Map([...(read ?? [])].filter((each): each is [string, BackendConfig] => each[1] !== 'broken'))
  const entries = (shape.models ?? []).map((value, index) => readModel(value, ['models', index], yaml, read, report))
  const models = entries.map((entry, index) => completedOf(entry, ['models', index], backends, report))
  const found = { read: entries, models, direct: shape.direct }
  const names = modelNames({ backends, ...found })

  const rules = readRules(shape, names, report)
  reportSameNames({ models: entries.map((entry) => entry.names), rules: namesIn(rules) }, report)
  const auto = readDefault(shape, names, rules, report)

  const wholeModels = models.flatMap((model) => model ?? [])
  if (!whole || wholeModels.length < models.length || auto === 'broken') return undefined
  return catalogueOf(backends, wholeModels, { rules: wholeOf(rules), auto, names: directNames(found) })
}

type Shape = Partial<z.infer<typeof CatalogueShape>>
type Rules = ReturnType<typeof readRule>[]

const namesIn = (rules: Rules) => rules.map(({ names }) => names)
const wholeOf = (rules: Rules): Rule[] => rules.flatMap(({ rule }) => rule ?? [])

/** A model with what it has from its backends, once those are known. */
function completedOf({ model, entry }: ReadModel, path: Path, backends: Map<string, BackendConfig>, report: Report) {
  if (!model || !model.targets.every(({ backend }) => backends.has(backend))) return undefined
  const whole = completed(model, backends)
  checkDefaults(whole, path, entry?.defaults ?? {}, report)
  return whole
}

function readRules({ rules = [], models }: Shape, { find, known }: ModelNames, report: Report): Rules {
  // Where the models cannot be read every name may be one of theirs.
  const names = { known, find: models ? find : () => 'broken' as const }
  return rules.map((value, index) => readRule(value, ['rules', index], names, report))
}

/** What `auto` stands for, under its own name; `broken` where that is something that could not be read. */
function readDefault(
  shape: Shape,
  { find, known }: ModelNames,
  rules: Rules,
  report: Report,
): Rule | 'broken' | undefined {
  const { default_model: name } = shape
  if (name === undefined) return undefined
  const rule = wholeOf(rules).find((each) => namesOf(each).includes(name))
  if (rule) return { ...rule, id: 'auto', aliases: [] }
  const model = find(name)
  if (model === 'broken') return model
  if (model) return autoRule([model], 'first')
  const isKnownToBeNone = shape.models && shape.rules && !mayBe(name, namesIn(rules))
  if (isKnownToBeNone)
    report(['default_model'], namesNone('model', name, [...known, ...wholeOf(rules).flatMap(namesOf)]))
  return 'broken'
}
