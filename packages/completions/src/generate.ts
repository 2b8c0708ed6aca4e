import {
  type Backends,
  type TargetHealth,
  estimateTokens,
  inputTokenBound,
  promptText,
  streamFromTargets,
  targetName,
} from '@weir/backends'
import {
  type ChoiceResult,
  type Chunk,
  type CompletionJob,
  type CompletionRequest,
  type Model,
  ServiceError,
  type Tried,
  type Usage,
  gather,
  imagesIn,
  weightOf,
  writtenIn,
} from '@weir/contracts'

/** What an attempt has made so far, whether or not it came to its end. */
export type Generated = {
  servedBy: string | undefined
  choices: ChoiceResult[]
  reported: Usage | undefined
  /** The targets before that one, each with why it did not serve. */
  tried: Tried[]
}

export type GenerateDeps = {
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
 * returns a promise. `generated` is kept up to date, so that a stopped attempt can be charged for what it made.
 */
export async function generate(
  deps: GenerateDeps,
  { request, quote, onlyTarget }: CompletionJob,
  model: Model,
  generated: Generated,
  show: (chunk: Chunk) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const chunks = streamFromTargets({
    ...deps,
    model: onlyTarget === undefined ? model : alone(model, onlyTarget),
    request,
    quote,
    signal,
    onTarget: (servedBy) => (generated.servedBy = servedBy),
    onTargetFailed: (target, error) => {
      generated.tried.push({ target, error: error.code })
      deps.onTargetFailed?.(target, error)
    },
    onTargetSkipped: (target, why) => generated.tried.push({ target, error: why }),
  })
  const mostCharacters = request.maxOutputTokens * LONGEST_TOKEN_CHARACTERS
  const written = new Map<number, number>()
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

export const nothingGenerated = (): Generated => ({
  servedBy: undefined,
  choices: [],
  reported: undefined,
  tried: [],
})

/** Whether the model has written anything at all: text, a refusal, reasoning or a tool call. */
export const hasText = ({ choices }: Generated): boolean => choices.some((choice) => writtenIn(choice) !== '')

/** What the backend reported, as far as it can be, else our own count of the prompt and of what was made. */
export async function usageOf(request: CompletionRequest, generated: Generated): Promise<Usage> {
  if (generated.reported) return possible(request, generated.reported)
  const prompt = promptText(request)
  const answer = generated.choices.map(writtenIn).join('')
  const [inputTokens, outputTokens] = await Promise.all([estimateTokens(prompt), estimateTokens(answer)])
  return { inputTokens, cachedInputTokens: 0, outputTokens, ...imagesOf(request), source: 'estimated' }
}

/**
 * A report is taken up to what the request could have used: no prompt has more tokens than its bound, no answer more than
 * its cap. Where a backend claims more than there was, the buckets that are cheaper by custom stand.
 */
function possible(request: CompletionRequest, reported: Usage): Usage {
  const mostInput = inputTokenBound(request)
  const cachedInputTokens = Math.min(reported.cachedInputTokens, mostInput)
  const inputTokens = Math.min(reported.inputTokens, mostInput - cachedInputTokens)
  const cacheWriteTokens = Math.min(reported.cacheWriteTokens ?? 0, mostInput - cachedInputTokens - inputTokens)
  const mostOutput = request.maxOutputTokens * (request.choices ?? 1)
  const outputTokens = Math.min(reported.outputTokens, mostOutput)
  const reasoningTokens = Math.min(reported.reasoningTokens ?? 0, mostOutput - outputTokens)
  return {
    inputTokens,
    cachedInputTokens,
    ...(cacheWriteTokens > 0 && { cacheWriteTokens }),
    outputTokens,
    ...(reasoningTokens > 0 && { reasoningTokens }),
    ...imagesOf(request),
    source: reported.source,
  }
}

function imagesOf(request: CompletionRequest): { images?: number } {
  const images = imagesIn(request)
  return images > 0 ? { images } : {}
}
