import { BackendConfig, type Catalogue, type Model, type Target } from '@weir/contracts'
import { ConfigError } from '@weir/runtime'
import type { z } from 'zod'
import type { SecretOf } from './backend.ts'
import { catalogueOf, namesOf } from './catalogue-of.ts'
import { BackendName, CatalogueShape, ModelEntry } from './catalogue-schema.ts'
import { tokenPriceOf } from './token-price.ts'
import { openYaml, type Path, type YamlDocument } from './yaml-document.ts'

/** Something an operator has to mend, and the field it is about. */
type Report = (path: Path, message: string) => void
type BackendConfigs = Map<string, BackendConfig | 'broken'>

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

  const backends = readBackends(shape.backends, report, secretOf)
  const models = shape.models.map((value, index) => readModel(value, ['models', index], yaml, backends, report))
  reportDuplicates(models, report)
  const whole = models.filter((model) => model !== undefined)
  const byDefault = shape.default_model
  const isKnown = byDefault === undefined || whole.some((model) => namesOf(model).includes(byDefault))
  // A model that is broken may be the one that is meant.
  if (!isKnown && whole.length === models.length) report(['default_model'], `names no model: ${byDefault}`)

  if (!isKnown || whole.length < models.length) return undefined
  const configs = [...backends].filter((entry): entry is [string, BackendConfig] => entry[1] !== 'broken')
  return catalogueOf(new Map(configs), whole, byDefault)
}

function readBackends(values: Record<string, unknown>, report: Report, secretOf: SecretOf): BackendConfigs {
  const backends: BackendConfigs = new Map()
  for (const [name, value] of Object.entries(values)) {
    const path = ['backends', name]
    parsed(BackendName, name, path, report)
    const config = parsed(BackendConfig, value, path, report)
    backends.set(name, config ?? 'broken')
    if (config?.kind !== 'openai') continue

    const { username, password } = new URL(config.base_url)
    if (username || password) report([...path, 'base_url'], 'must not hold a secret; name its variable in api_key_env')
    if (config.api_key_env && !secretOf(config.api_key_env)) {
      report([...path, 'api_key_env'], `the environment variable ${config.api_key_env} is not set`)
    }
  }
  return backends
}

function readModel(
  value: unknown,
  path: Path,
  yaml: YamlDocument,
  backends: BackendConfigs,
  report: Report,
): Model | undefined {
  const entry = parsed(ModelEntry, value, path, report)
  if (!entry) return undefined
  checkTargets(entry.targets, [...path, 'targets'], backends, report)
  if (entry.max_output_tokens > entry.context_window) {
    report([...path, 'max_output_tokens'], 'must not be larger than context_window')
  }

  const price = readPrice(entry.price, [...path, 'price'], yaml, report)
  if (!price) return undefined
  const { id, aliases, targets, max_output_tokens: maxOutputTokens, context_window: contextWindow } = entry
  return { id, aliases, targets, price, maxOutputTokens, contextWindow }
}

function checkTargets(targets: Target[], path: Path, backends: BackendConfigs, report: Report): void {
  const kinds = new Set<string>()
  for (const [index, { backend }] of targets.entries()) {
    const config = backends.get(backend)
    if (!config) report([...path, index, 'backend'], `names no backend: ${backend}`)
    else if (config !== 'broken') kinds.add(config.kind)
  }
  // A made-up answer in place of a real one must be nobody's surprise.
  if (kinds.has('simulated') && kinds.size > 1) report(path, 'must not mix simulated and real backends')
}

function readPrice(written: ModelEntry['price'], path: Path, yaml: YamlDocument, report: Report) {
  const textOf = (field: keyof ModelEntry['price']) => yaml.sourceOf([...path, field]) ?? String(written[field])
  const result = tokenPriceOf({
    input: textOf('input'),
    cachedInput: written.cached_input === undefined ? undefined : textOf('cached_input'),
    output: textOf('output'),
    per: textOf('per'),
  })
  if ('price' in result) return result.price
  for (const { field, message } of result.problems) report([...path, field], message)
  return undefined
}

function reportDuplicates(models: (Model | undefined)[], report: Report): void {
  const seen = new Set<string>()
  for (const [index, model] of models.entries()) {
    if (!model) continue
    for (const [position, name] of namesOf(model).entries()) {
      const path = position === 0 ? ['id'] : ['aliases', position - 1]
      if (seen.has(name)) report(['models', index, ...path], `is already the name of a model: ${name}`)
      seen.add(name)
    }
  }
}

/** What a schema makes of a value; undefined after reporting each field that is wrong. */
function parsed<T>(schema: z.ZodType<T>, value: unknown, path: Path, report: Report): T | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const at = [...path, ...issue.path]
    if (issue.code !== 'unrecognized_keys') report(at, issue.message)
    else for (const key of issue.keys) report([...at, key], 'is not a field that is known here')
  }
  return undefined
}

function fieldOf(path: Path): string {
  const field = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return field && `${field.replace(/^\./, '')}: `
}
