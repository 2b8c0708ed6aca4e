import { roughInputTokens } from '@weir/backends'
import { type CompletionRequest, type Usage, generatedTokens, promptTokens } from '@weir/contracts'

/**
 * What a request may use, to be reserved of its tokens per minute: its input at about its length, and the most it may
 * answer. The bound by bytes would reserve four times the input for as long as it runs; an estimate is enough, since what
 * was used is put right at the end, either way.
 */
export const estimatedTokens = (request: CompletionRequest): number =>
  roughInputTokens(request) + request.maxOutputTokens * (request.choices ?? 1)

export const usedTokens = (usage: Usage): number => promptTokens(usage) + generatedTokens(usage)
