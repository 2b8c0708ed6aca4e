import { type Backends, type TargetHealth, streamFromTargets, targetName } from '@weir/backends'
import { type Chunk, type CompletionJob, type Model, ServiceError, gather, weightOf } from '@weir/contracts'
import { type Generated, nothingGenerated } from './generated.ts'
import { type WasteDeps, countWaste } from './waste.ts'

export type GenerateDeps = WasteDeps & {
  backends: Backends
  health?: TargetHealth
  onTargetFailed?: (target: string, error: ServiceError) => void
}

/** No tokenizer in use has a longer one; what is beyond the output cap at this rate was never capped. */
const LONGEST_TOKEN_CHARACTERS = 128
/** For what belongs to no token: names of tools, signatures. */
const SPARE_CHARACTERS = 65_536

/**
 * Runs a request on its model's targets. `show` is told each chunk as it comes, and slows the backend down where it
 * returns a promise. `generated` is kept up to date, so that a stopped attempt can be charged for what it made; what a
 * target made that failed is not in it any more.
 */
export async function generate(
  deps: GenerateDeps,
  { request, quote, onlyTarget }: CompletionJob,
  model: Model,
  generated: Generated,
  show: (chunk: Chunk) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const written = new Map<number, number>()
  const chunks = streamFromTargets({
    ...deps,
    model: onlyTarget === undefined ? model : alone(model, onlyTarget),
    request,
    quote,
    signal,
    onTarget: (servedBy) => (generated.servedBy = servedBy),
    onUsedSoFar: (target, usage) => (generated.soFar = { target, usage }),
    onTargetFailed: async (target, error) => {
      deps.onTargetFailed?.(target, error)
      await countWaste(deps, generated, 'failed')
      Object.assign(generated, nothingGenerated(), { tried: [...generated.tried, { target, error: error.code }] })
      written.clear()
    },
    onTargetSkipped: (target, why) => generated.tried.push({ target, error: why }),
  })
  const mostCharacters = request.maxOutputTokens * LONGEST_TOKEN_CHARACTERS
  for await (const chunk of chunks) {
    if (chunk.type === 'usage') {
      generated.reported = chunk.usage
      continue
    }
    gather(generated.choices, chunk)
    const characters = (written.get(chunk.choice) ?? 0) + weightOf(chunk)
    written.set(chunk.choice, characters)
    if (characters > mostCharacters + SPARE_CHARACTERS) {
      throw new ServiceError('backend_error', 'The model did not stop at its output limit.')
    }
    const slow = show(chunk)
    if (slow) await slow
  }
}

function alone(model: Model, name: string): Model {
  const targets = model.targets.filter((target) => targetName(target) === name)
  if (targets.length === 0) throw new ServiceError('backend_error', `${name} is not served at the moment.`)
  return { ...model, targets }
}
