import type { Bounds, Capability, Condition, Model, Range, Target } from '@weir/contracts'
import { carriedBy } from './capabilities-of.ts'
import type { BackendConfigs } from './catalogue-backends.ts'
import { type Report, parsed } from './catalogue-report.ts'
import { type ConditionEntry, ModelEntry, type TargetEntry } from './catalogue-schema.ts'
import { given } from './given.ts'
import { tokenPriceOf } from './token-price.ts'
import type { Path, YamlDocument } from './yaml-document.ts'

/** A model of a file, and whether its targets may be named directly; undefined after reporting what is wrong with it. */
export function readModel(
  value: unknown,
  path: Path,
  yaml: YamlDocument,
  backends: BackendConfigs,
  report: Report,
): { model: Model; direct: boolean | undefined } | undefined {
  const entry = parsed(ModelEntry, value, path, report)
  if (!entry) return undefined
  checkTargets(entry.targets, [...path, 'targets'], backends, report)
  checkCapabilities(entry, path, backends, report)
  if (entry.max_output_tokens > entry.context_window) {
    report([...path, 'max_output_tokens'], 'must not be larger than context_window')
  }
  checkDefaults(entry, path, report)

  const price = readPrice(entry.price, [...path, 'price'], yaml, report)
  return price && { model: { ...modelOf(entry), price }, direct: entry.direct }
}

function modelOf(entry: ModelEntry): Omit<Model, 'price'> {
  const { defaults, bounds, description, capabilities, roles, images } = entry
  return {
    id: entry.id,
    aliases: entry.aliases,
    targets: entry.targets.map(targetOf),
    maxOutputTokens: entry.max_output_tokens,
    contextWindow: entry.context_window,
    ...given({ description, capabilities, roles, images }),
    defaults: given({
      maxOutputTokens: defaults.max_tokens,
      temperature: defaults.temperature,
      topP: defaults.top_p,
      topK: defaults.top_k,
      frequencyPenalty: defaults.frequency_penalty,
      presencePenalty: defaults.presence_penalty,
      verbosity: defaults.verbosity,
      reasoning: defaults.reasoning_effort && { effort: defaults.reasoning_effort },
    }),
    bounds: boundsOf(bounds),
  }
}

const boundsOf = (bounds: ModelEntry['bounds']): Bounds =>
  given({
    maxOutputTokens: bounds.max_tokens,
    temperature: bounds.temperature,
    topP: bounds.top_p,
    topK: bounds.top_k,
    frequencyPenalty: bounds.frequency_penalty,
    presencePenalty: bounds.presence_penalty,
    choices: bounds.n,
  })

const targetOf = ({ backend, model, context_window, quota_group, when, ...entry }: TargetEntry): Target => ({
  backend,
  model,
  ...given({
    priority: entry.priority,
    weight: entry.weight,
    capabilities: entry.capabilities,
    contextWindow: context_window,
    quotaGroup: quota_group,
    when: when && conditionOf(when),
  }),
})

export const conditionOf = (entry: ConditionEntry): Condition =>
  given({
    needs: entry.needs,
    minPromptTokens: entry.min_prompt_tokens,
    maxPromptTokens: entry.max_prompt_tokens,
    maxPrice: entry.max_price,
  })

function checkTargets(targets: TargetEntry[], path: Path, backends: BackendConfigs, report: Report): void {
  const kinds = new Set<string>()
  for (const [index, { backend, capabilities = [] }] of targets.entries()) {
    const config = backends.get(backend)
    if (!config) report([...path, index, 'backend'], `names no backend: ${backend}`)
    if (!config || config === 'broken') continue
    kinds.add(config.kind)
    reportUncarried(capabilities, carriedBy(config.kind), [...path, index], `a backend of kind ${config.kind}`, report)
  }
  // A made-up answer in place of a real one must be nobody's surprise.
  if (kinds.has('simulated') && kinds.size > 1) report(path, 'must not mix simulated and real backends')
  if (targets.every(({ when }) => when?.max_price !== undefined)) {
    report(path, 'must have one without max_price: what is accepted has to run somewhere')
  }
}

function checkCapabilities(entry: ModelEntry, path: Path, backends: BackendConfigs, report: Report): void {
  const configs = entry.targets.map(({ backend }) => backends.get(backend))
  // A backend that is broken may be the one that can do it.
  if (configs.some((config) => config === undefined || config === 'broken')) return
  const carried = configs.flatMap((config) => (config === 'broken' ? [] : carriedBy(config!.kind)))
  reportUncarried(entry.capabilities ?? [], carried, path, 'any of its backends', report)
}

function reportUncarried(
  claimed: readonly Capability[],
  carried: readonly Capability[],
  path: Path,
  by: string,
  report: Report,
): void {
  for (const [index, capability] of claimed.entries()) {
    if (!carried.includes(capability)) {
      report([...path, 'capabilities', index], `is nothing that ${by} can be asked for: ${capability}`)
    }
  }
}

/** A default that the model would refuse from a client. */
function checkDefaults({ defaults, bounds, max_output_tokens }: ModelEntry, path: Path, report: Report): void {
  const ranges: Record<string, Range | undefined> = {
    ...bounds,
    max_tokens: given({
      min: bounds.max_tokens?.min,
      max: Math.min(bounds.max_tokens?.max ?? Infinity, max_output_tokens),
    }),
  }
  for (const [field, value] of Object.entries(defaults)) {
    const { min = -Infinity, max = Infinity } = ranges[field] ?? {}
    if (typeof value === 'number' && (value < min || value > max)) {
      report([...path, 'defaults', field], 'is out of the bounds of the model')
    }
  }
}

function readPrice(written: ModelEntry['price'], path: Path, yaml: YamlDocument, report: Report) {
  const textOf = (field: keyof ModelEntry['price']) => yaml.sourceOf([...path, field]) ?? String(written[field])
  const textIf = (field: keyof ModelEntry['price']) => (written[field] === undefined ? undefined : textOf(field))
  const result = tokenPriceOf({
    input: textOf('input'),
    cachedInput: textIf('cached_input'),
    cacheWrite: textIf('cache_write'),
    output: textOf('output'),
    reasoning: textIf('reasoning'),
    per: textOf('per'),
    image: textIf('image'),
    request: textIf('request'),
    minimum: textIf('minimum'),
    batchDiscount: textIf('batch_discount'),
  })
  if ('price' in result) return result.price
  for (const { field, message } of result.problems) report([...path, field], message)
  return undefined
}
