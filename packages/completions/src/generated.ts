import { estimateTokens, inputTokenBound, promptText } from '@weir/backends'
import {
  type ChoiceResult,
  type CompletionRequest,
  type Tried,
  type Usage,
  generatedTokens,
  imagesIn,
  promptTokens,
  writtenIn,
} from '@weir/contracts'

/** What an attempt has made so far, whether or not it came to its end. */
export type Generated = {
  servedBy: string | undefined
  choices: ChoiceResult[]
  /** What the backend told once the answer was whole. */
  reported: Usage | undefined
  /** What it has told before. */
  soFar: { target: string; usage: Usage } | undefined
  /** The targets before that one, each with why it did not serve. */
  tried: Tried[]
}

export const nothingGenerated = (): Generated => ({
  servedBy: undefined,
  choices: [],
  reported: undefined,
  soFar: undefined,
  tried: [],
})

/** Whether the model has said anything at all: text, a refusal, reasoning, be it only its signature, or a tool call. */
export const hasText = ({ choices }: Generated): boolean =>
  choices.some((choice) => writtenIn(choice) !== '' || choice.parts.some(isSigned))

const isSigned = (part: ChoiceResult['parts'][number]): boolean => part.type === 'reasoning' && Boolean(part.signature)

/** Whether a backend has worked for it, as far as it shows or has been told. */
export const hasUsed = (generated: Generated): boolean =>
  hasText(generated) || generated.reported !== undefined || generated.soFar !== undefined

/** What the backend reported, as far as it can be, and our own count of what it has not told. */
export async function usageOf(request: CompletionRequest, generated: Generated): Promise<Usage> {
  const { reported, soFar, choices } = generated
  if (reported) return possible(request, reported)
  const counted = await estimateTokens(choices.map(writtenIn).join(''))
  if (soFar) return grown(possible(request, soFar.usage), counted)
  const inputTokens = await estimateTokens(promptText(request))
  return { inputTokens, cachedInputTokens: 0, outputTokens: counted, ...imagesOf(request), source: 'estimated' }
}

/** A report from before the end, with what has been written since. */
function grown(soFar: Usage, counted: number): Usage {
  if (counted <= generatedTokens(soFar)) return soFar
  return { ...soFar, outputTokens: counted - (soFar.reasoningTokens ?? 0), source: 'estimated' }
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
  const taken = {
    inputTokens,
    cachedInputTokens,
    ...(cacheWriteTokens > 0 && { cacheWriteTokens }),
    outputTokens,
    ...(reasoningTokens > 0 && { reasoningTokens }),
    ...imagesOf(request),
  }
  const isCapped = promptTokens(taken) < promptTokens(reported) || generatedTokens(taken) < generatedTokens(reported)
  return { ...taken, source: isCapped ? 'capped' : reported.source }
}

function imagesOf(request: CompletionRequest): { images?: number } {
  const images = imagesIn(request)
  return images > 0 ? { images } : {}
}
