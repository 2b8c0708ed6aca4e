import { type Backends, estimateTokens, inputTokenBound, streamFromTargets, textOf } from '@weir/backends'
import {
  type ChoiceResult,
  type Chunk,
  type CompletionJob,
  type CompletionRequest,
  type Model,
  ServiceError,
  type Usage,
} from '@weir/contracts'

/** What an attempt has made so far, whether or not it came to its end. */
export type Generated = {
  servedBy: string | undefined
  choices: ChoiceResult[]
  reported: Usage | undefined
}

export type GenerateDeps = {
  backends: Backends
  onTargetFailed?: (target: string, error: ServiceError) => void
}

/** No tokenizer in use has a longer one; what is beyond the output cap at this rate was never capped. */
const LONGEST_TOKEN_CHARACTERS = 128

/**
 * Runs a request on its model's targets. `show` is told each chunk as it comes, and slows the backend down where it
 * returns a promise. `generated` is kept up to date, so that a stopped attempt can be charged for what it made.
 */
export async function generate(
  deps: GenerateDeps,
  { request }: CompletionJob,
  model: Model,
  generated: Generated,
  show: (chunk: Chunk) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const chunks = streamFromTargets({
    ...deps,
    model,
    request,
    signal,
    onTarget: (servedBy) => (generated.servedBy = servedBy),
  })
  const mostCharacters = request.maxOutputTokens * LONGEST_TOKEN_CHARACTERS
  for await (const chunk of chunks) {
    if (chunk.type === 'usage') {
      generated.reported = chunk.usage
      continue
    }
    const choice = choiceAt(generated.choices, chunk.choice)
    if (chunk.type === 'finish') choice.finishReason = chunk.reason
    else choice.text += chunk.text
    if (choice.text.length > mostCharacters) {
      throw new ServiceError('backend_error', 'The model did not stop at its output limit.')
    }
    const slow = show(chunk)
    if (slow) await slow
  }
}

export const nothingGenerated = (): Generated => ({ servedBy: undefined, choices: [], reported: undefined })

export const hasText = ({ choices }: Generated): boolean => choices.some(({ text }) => text !== '')

/** What the backend reported, as far as it can be, else our own count of the prompt and of what was made. */
export async function usageOf(request: CompletionRequest, generated: Generated): Promise<Usage> {
  if (generated.reported) return possible(request, generated.reported)
  const prompt = request.messages.map(textOf).join('\n')
  const answer = generated.choices.map(({ text }) => text).join('')
  const [inputTokens, outputTokens] = await Promise.all([estimateTokens(prompt), estimateTokens(answer)])
  return { inputTokens, cachedInputTokens: 0, outputTokens, source: 'estimated' }
}

/**
 * A report is taken up to what the request could have used: no prompt has more tokens than its bound, no answer more than
 * its cap. Where a backend claims more input than there was, the cached tokens it tells of, the cheaper ones, stand.
 */
function possible(request: CompletionRequest, reported: Usage): Usage {
  const most = inputTokenBound(request)
  const cachedInputTokens = Math.min(reported.cachedInputTokens, most)
  return {
    ...reported,
    cachedInputTokens,
    inputTokens: Math.min(reported.inputTokens, most - cachedInputTokens),
    outputTokens: Math.min(reported.outputTokens, request.maxOutputTokens),
  }
}

function choiceAt(choices: ChoiceResult[], index: number): ChoiceResult {
  let choice = choices.find((each) => each.index === index)
  if (!choice) {
    choice = { index, text: '', finishReason: 'stop' }
    choices.push(choice)
  }
  return choice
}
