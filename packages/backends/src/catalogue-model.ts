import type { Bounds, Condition, Model, Price, Target } from '@weir/contracts'
import { given } from '@weir/dialects'
import { type KnownBackends, checkModel, checkTargets } from './catalogue-checks.ts'
import type { Named } from './catalogue-names.ts'
import { type Report, parsed, readableFields } from './catalogue-report.ts'
import { type ConditionEntry, ModelEntry, PriceEntry, TargetEntry } from './catalogue-schema.ts'
import { tokenPriceOf } from './token-price.ts'
import type { Path, YamlDocument } from './yaml-document.ts'

/** What could be read of a model. `model` is there where all of it could, and its price makes sense. */
export type ReadModel = {
  names: Named
  model: Model | undefined
  direct: boolean | undefined
  entry: ModelEntry | undefined
}

/** A model of a file, after reporting what is wrong with it: all of it, however little of it can be read. */
export function readModel(
  value: unknown,
  path: Path,
  yaml: YamlDocument,
  backends: KnownBackends,
  report: Report,
): ReadModel {
  const entry = parsed(ModelEntry, value, path, report)
  const read = entry ?? readableFields(ModelEntry, value)
  const written = value as Record<string, unknown> | null | undefined
  checkTargets(entry?.targets ?? itemsIn(written?.['targets']), [...path, 'targets'], backends, report)
  checkModel(read, path, backends, report)
  const price = readPrice(entry?.price ?? written?.['price'], [...path, 'price'], yaml, report)
  return {
    names: { id: read.id, aliases: read.aliases },
    model: entry && price && { ...modelOf(entry), price },
    direct: read.direct,
    entry,
  }
}

const itemsIn = (targets: unknown): Partial<TargetEntry>[] =>
  Array.isArray(targets) ? targets.map((target) => readableFields(TargetEntry, target)) : []

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

/** A price with a part that could not be read, which has been reported, is looked at for what else is wrong with it. */
function readPrice(value: unknown, path: Path, yaml: YamlDocument, report: Report): Price | undefined {
  const read = readableFields(PriceEntry, value)
  const textIf = (field: keyof PriceEntry) =>
    read[field] === undefined ? undefined : (yaml.sourceOf([...path, field]) ?? String(read[field]))
  const result = tokenPriceOf({
    input: textIf('input') ?? '0',
    cachedInput: textIf('cached_input'),
    cacheWrite: textIf('cache_write'),
    output: textIf('output') ?? '0',
    reasoning: textIf('reasoning'),
    per: textIf('per') ?? '1000000',
    image: textIf('image'),
    request: textIf('request'),
    minimum: textIf('minimum'),
    batchDiscount: textIf('batch_discount'),
  })
  if ('price' in result) return result.price
  for (const { field, message } of result.problems) report([...path, field], message)
  return undefined
}
