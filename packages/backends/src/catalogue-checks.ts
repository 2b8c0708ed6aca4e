import { type BackendConfig, type Capability, type Model, type Range, needsOf } from '@weir/contracts'
import { given } from '@weir/dialects'
import { carriedBy } from './capabilities-of.ts'
import { namesNone } from './catalogue-names.ts'
import type { BackendConfigs } from './catalogue-backends.ts'
import type { Report } from './catalogue-report.ts'
import type { ModelEntry, TargetEntry } from './catalogue-schema.ts'
import { notCarriedBy } from './fit-target.ts'
import { withDefaults } from './fit-to-model.ts'
import type { Path } from './yaml-document.ts'

/** Backends by name; undefined where the file's could not be read at all, so that any name may be right. */
export type KnownBackends = BackendConfigs | undefined

/** Where a model is to run. `targets` are as much of them as could be read. */
export function checkTargets(
  targets: Partial<TargetEntry>[],
  path: Path,
  backends: KnownBackends,
  report: Report,
): void {
  const kinds = new Set<string>()
  for (const [index, { backend, capabilities = [] }] of targets.entries()) {
    if (backend === undefined || !backends) continue
    const config = backends.get(backend)
    if (!config) report([...path, index, 'backend'], namesNone('backend', backend, backends.keys()))
    if (!config || config === 'broken') continue
    kinds.add(config.kind)
    reportUncarried(capabilities, carriedBy(config.kind), [...path, index], `a backend of kind ${config.kind}`, report)
  }
  // A made-up answer in place of a real one must be nobody's surprise.
  if (kinds.has('simulated') && kinds.size > 1) report(path, 'must not mix simulated and real backends')
  if (targets.length > 0 && targets.every(({ when }) => when?.max_price !== undefined)) {
    report(path, 'must have one without max_price: what is accepted has to run somewhere')
  }
}

/** What is said of a model as a whole, as far as it could be read. */
export function checkModel(entry: Partial<ModelEntry>, path: Path, backends: KnownBackends, report: Report): void {
  checkCapabilities(entry, path, backends, report)
  const { max_output_tokens: most = 0, context_window: window = Infinity } = entry
  if (most > window) report([...path, 'max_output_tokens'], 'must not be larger than context_window')
  checkNumbers(entry, path, report)
}

function checkCapabilities(entry: Partial<ModelEntry>, path: Path, backends: KnownBackends, report: Report): void {
  const configs = entry.targets?.map(({ backend }) => backends?.get(backend))
  // A backend that is broken may be the one that can do it.
  if (!configs?.every((config): config is BackendConfig => config !== undefined && config !== 'broken')) return
  const carried = configs.flatMap(({ kind }) => carriedBy(kind))
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

/** Bounds that no request could keep to, and defaults that the model would refuse from a client. */
function checkNumbers(entry: Partial<ModelEntry>, path: Path, report: Report): void {
  const { defaults = {}, bounds = {}, max_output_tokens: most = Infinity } = entry
  for (const end of ['min', 'max'] as const) {
    const bound = bounds.max_tokens?.[end]
    if (bound !== undefined && bound > most) {
      report([...path, 'bounds', 'max_tokens', end], `must not be above max_output_tokens, which is ${most}`)
    }
  }
  const ranges: Record<string, Range | undefined> = {
    ...bounds,
    max_tokens: given({ min: bounds.max_tokens?.min, max: Math.min(bounds.max_tokens?.max ?? Infinity, most) }),
  }
  for (const [field, value] of Object.entries(defaults)) {
    const { min = -Infinity, max = Infinity } = ranges[field] ?? {}
    if (typeof value !== 'number' || (value >= min && value <= max)) continue
    report([...path, 'defaults', field], `is out of the bounds of the model: ${withinWords(min, max)}`)
  }
}

function withinWords(min: number, max: number): string {
  if (min === -Infinity) return `at most ${max}`
  return max === Infinity ? `at least ${min}` : `${min} to ${max}`
}

const plainRequest = { messages: [{ role: 'user' as const, content: 'Hello' }], stream: false }
const fieldsNeeding: Partial<Record<Capability, (keyof ModelEntry['defaults'])[]>> = {
  penalties: ['frequency_penalty', 'presence_penalty'],
  top_k: ['top_k'],
  verbosity: ['verbosity'],
  reasoning: ['reasoning_effort'],
}

/** Defaults that would have even the plainest request refused: for want of a capability, or of words of its backends. */
export function checkDefaults(model: Model, path: Path, written: ModelEntry['defaults'], report: Report): void {
  const request = withDefaults(plainRequest, model)
  const missing = needsOf(request).filter((need) => !model.capabilities?.includes(need))
  for (const need of missing) {
    for (const field of fieldsNeeding[need] ?? []) {
      if (!written[field]) continue
      report([...path, 'defaults', field], `needs the capability ${need}, which this model does not have`)
    }
  }
  if (missing.length > 0) return
  const refusals = model.targets.map((target) => notCarriedBy(request, target))
  if (refusals.every((refusal) => refusal !== undefined)) {
    report([...path, 'defaults'], `would have every request refused: ${refusals[0]!.message}`)
  }
}
