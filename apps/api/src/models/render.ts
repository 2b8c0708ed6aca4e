import { type Bounds, Capability, type Model, type Rule } from '@weir/contracts'
import type { PriceBook } from '@weir/ledger'
import { renderTokenPrice } from '../render-ledger.ts'

/** A name that a request may have as its model: a model, or a rule that chooses one. */
export type Named = { kind: 'model'; model: Model } | { kind: 'rule'; rule: Rule }

type Prices = Pick<PriceBook, 'priceOf'>

export const idOf = (named: Named): string => (named.kind === 'model' ? named.model.id : named.rule.id)

/**
 * Both APIs want a time for each name: since when it has its price, which every replica knows alike and remembers. One that
 * stands for several models is as old as the oldest of them.
 */
function createdAt(named: Named, prices: Prices): Date {
  const models = named.kind === 'model' ? [named.model] : modelsOf(named.rule)
  return new Date(Math.min(...models.map(({ id }) => prices.priceOf(id).effectiveAt.getTime())))
}

/** In the shape of OpenAI's API. */
export const renderModel = (named: Named, prices: Prices) => ({
  id: idOf(named),
  object: 'model' as const,
  created: Math.floor(createdAt(named, prices).getTime() / 1_000),
  owned_by: named.kind === 'model' ? named.model.targets[0]!.backend : 'weir',
  ...told(named, prices),
  capabilities: capabilitiesOf(named),
})

/** In the shape of Anthropic's. */
export function renderModelInfo(named: Named, prices: Prices) {
  const ours = told(named, prices)
  return {
    type: 'model' as const,
    id: idOf(named),
    display_name: idOf(named),
    created_at: createdAt(named, prices).toISOString(),
    lifecycle: 'active' as const,
    line: null,
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: ours.context_window,
    max_tokens: ours.max_output_tokens,
    ...ours,
    capabilities: supportOf(new Set(capabilitiesOf(named))),
  }
}

function told(named: Named, prices: Prices) {
  return named.kind === 'model' ? toldOfModel(named.model, prices) : toldOfRule(named.rule)
}

function toldOfModel(model: Model, prices: Prices) {
  const { aliases, description, defaults = {}, bounds = {}, roles, images } = model
  const { maxOutputTokens, reasoning, ...others } = defaults
  return {
    aliases,
    description,
    context_window: model.contextWindow,
    max_output_tokens: model.maxOutputTokens,
    defaults: inWireNames<number | string>({ ...others, maxOutputTokens, reasoning_effort: reasoning?.effort }),
    bounds: inWireNames(bounds),
    roles: roles && [...roles],
    images,
    price: renderTokenPrice(prices.priceOf(model.id).price),
  }
}

/** As much as the ablest of its models takes. */
function toldOfRule(rule: Rule) {
  const models = modelsOf(rule)
  return {
    aliases: rule.aliases,
    description: rule.description,
    context_window: Math.max(...models.map(({ contextWindow }) => contextWindow)),
    max_output_tokens: Math.max(...models.map(({ maxOutputTokens }) => maxOutputTokens)),
    defaults: {},
    bounds: {},
    stands_for: { pick: rule.pick, models: [...new Set(models.map(({ id }) => id))] },
  }
}

function modelsOf({ candidates, cases }: Rule): Model[] {
  return [...new Set([{ candidates }, ...cases].flatMap((choice) => choice.candidates.map(({ model }) => model)))]
}

/** In the order of the contract; a model that does not say can do everything. */
function capabilitiesOf(named: Named): Capability[] {
  const models = named.kind === 'model' ? [named.model] : modelsOf(named.rule)
  const able = new Set(models.flatMap(({ capabilities = Capability.options }) => capabilities))
  return Capability.options.filter((capability) => able.has(capability))
}

type Field = keyof Bounds | 'verbosity' | 'reasoning_effort'

/** The names that the catalogue's file and the requests have. */
const wireNames: Record<Field, string> = {
  maxOutputTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  choices: 'n',
  verbosity: 'verbosity',
  reasoning_effort: 'reasoning_effort',
}

function inWireNames<Value>(fields: Partial<Record<Field, Value>>): Record<string, NonNullable<Value>> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(given.map(([field, value]) => [wireNames[field as Field], value as NonNullable<Value>]))
}

const no = { supported: false }

function supportOf(able: ReadonlySet<Capability>) {
  const of = (capability: Capability) => ({ supported: able.has(capability) })
  const reasoning = of('reasoning')
  return {
    batch: no,
    citations: no,
    code_execution: no,
    context_management: {
      ...no,
      clear_thinking_20251015: null,
      clear_tool_uses_20250919: null,
      compact_20260112: null,
    },
    effort: { ...reasoning, low: reasoning, medium: reasoning, high: reasoning, xhigh: reasoning, max: reasoning },
    image_input: of('vision'),
    pdf_input: of('files'),
    server_tools: { ...no, code_execution: no, web_search: no },
    structured_outputs: of('json_schema'),
    thinking: {
      ...reasoning,
      types: { adaptive: reasoning, between_tools: reasoning, disabled: reasoning, enabled: reasoning },
    },
  }
}
