import type { BackendConfig, Catalogue, Model, Rule } from '@weir/contracts'
import { ConfigError } from '@weir/runtime'
import type { SecretOf } from './backend.ts'
import { readBackends } from './catalogue-backends.ts'
import { readModel } from './catalogue-model.ts'
import { autoRule, catalogueOf, completed, namesOf } from './catalogue-of.ts'
import { type Report, fieldOf, parsed } from './catalogue-report.ts'
import { type FindModel, readRule } from './catalogue-rules.ts'
import { CatalogueShape } from './catalogue-schema.ts'
import { type Path, type YamlDocument, openYaml } from './yaml-document.ts'

/**
 * The catalogue a file's text describes. Throws a ConfigError that lists all problems at once, each with file, line,
 * column and field.
 */
export function parseCatalogueFile(text: string, file: string, secretOf: SecretOf): Catalogue {
  const yaml = openYaml(text)
  const problems = yaml.problems.map(({ position, message }) => `${file}:${position}: ${message}`)
  const report: Report = (path, message) => {
    problems.push(`${file}:${yaml.positionOf(path)}: ${fieldOf(path)}${message}`)
  }
  const catalogue = problems.length === 0 ? readCatalogue(yaml, report, secretOf) : undefined
  if (!catalogue || problems.length > 0) throw new ConfigError(`Model catalogue:\n  ${problems.join('\n  ')}`)
  return catalogue
}

function readCatalogue(yaml: YamlDocument, report: Report, secretOf: SecretOf): Catalogue | undefined {
  const shape = parsed(CatalogueShape, yaml.value, [], report)
  if (!shape) return undefined

  const read = readBackends(shape.backends, report, secretOf)
  const backends = new Map([...read].filter((entry): entry is [string, BackendConfig] => entry[1] !== 'broken'))
  const isWhole = ({ targets }: Model) => targets.every(({ backend }) => backends.has(backend))
  const entries = shape.models.map((value, index) => {
    const entry = readModel(value, ['models', index], yaml, read, report)
    return entry && isWhole(entry.model) ? { ...entry, model: completed(entry.model, backends) } : entry
  })
  const models = entries.flatMap((entry) => (entry && isWhole(entry.model) ? [entry.model] : []))
  const directOf = new Map(
    entries.flatMap((entry) => (entry?.direct === undefined ? [] : [[entry.model, entry.direct] as const])),
  )
  const names = { direct: shape.direct, directOf }
  const isBroken = models.length < entries.length

  const known = models.length > 0 ? catalogueOf(backends, models, { names }) : undefined
  // A model that is broken may be the one that is meant.
  const find: FindModel = (name) => known?.find(name) ?? (isBroken ? 'broken' : undefined)
  const rules = shape.rules.map((value, index) => readRule(value, ['rules', index], find, report))
  reportDuplicates(
    [
      ...listed(
        'models',
        entries.map((entry) => entry?.model),
      ),
      ...listed('rules', rules),
    ],
    report,
  )

  const whole = rules.filter((rule) => rule !== undefined)
  const auto = byDefault(shape.default_model, find, whole)
  if (auto === undefined && shape.default_model !== undefined && whole.length === rules.length) {
    report(['default_model'], `names no model: ${shape.default_model}`)
  }
  return isBroken ? undefined : catalogueOf(backends, models, { rules: whole, auto: auto || undefined, names })
}

/** What `auto` stands for; null where that may be a model that is broken. */
function byDefault(name: string | undefined, find: FindModel, rules: readonly Rule[]): Rule | null | undefined {
  if (name === undefined) return undefined
  const rule = rules.find((each) => namesOf(each).includes(name))
  if (rule) return rule
  const model = find(name)
  return model === 'broken' ? null : model && autoRule([model], 'first')
}

type Listed = { path: Path; named: Pick<Model | Rule, 'id' | 'aliases'> | undefined }

const listed = (list: string, all: readonly Listed['named'][]): Listed[] =>
  all.map((named, index) => ({ path: [list, index], named }))

function reportDuplicates(all: readonly Listed[], report: Report): void {
  const seen = new Set<string>()
  for (const { path, named } of all) {
    for (const [position, name] of (named ? namesOf(named) : []).entries()) {
      const field = position === 0 ? ['id'] : ['aliases', position - 1]
      if (seen.has(name)) report([...path, ...field], `is already the name of a model: ${name}`)
      seen.add(name)
    }
  }
}
