import type { Usage } from '@weir/contracts'
import { type Fields, fieldsOf } from '../fields.ts'

/** No call reads or writes a billion tokens. */
const MOST_TOKENS = 1_000_000_000

/**
 * Usage in disjoint buckets, or undefined when the numbers cannot be: then we estimate rather than charge nonsense. Zeros
 * are numbers like others: whoever reports them wants nothing.
 * Tokens of audio stay with the others of their side.
 */
export function readUsage(value: unknown): Usage | undefined {
  const usage = fieldsOf(value)
  if (!usage) return undefined
  const inPrompt = fieldsOf(usage['prompt_tokens_details'])
  const prompt = countOf(usage['prompt_tokens'])
  const completion = countOf(usage['completion_tokens'])
  const cached = countOf(cachedIn(usage, inPrompt) ?? 0)
  const written = countOf(inPrompt?.['cache_write_tokens'] ?? 0)
  const reasoning = countOf(fieldsOf(usage['completion_tokens_details'])?.['reasoning_tokens'] ?? 0)
  if (prompt === undefined || completion === undefined || cached === undefined) return undefined
  if (written === undefined || reasoning === undefined || cached + written > prompt) return undefined

  // xAI counts reasoning beside the completion, as its total tells; everybody else within it.
  const isBeside = reasoning > 0 && usage['total_tokens'] === prompt + completion + reasoning
  if (!isBeside && reasoning > completion) return undefined
  return {
    inputTokens: prompt - cached - written,
    cachedInputTokens: cached,
    ...(written > 0 && { cacheWriteTokens: written }),
    outputTokens: isBeside ? completion : completion - reasoning,
    ...(reasoning > 0 && { reasoningTokens: reasoning }),
    source: 'reported',
  }
}

/** The specification's name for it, DeepSeek's, and Moonshot's. */
const cachedIn = (usage: Fields, inPrompt: Fields | undefined): unknown =>
  inPrompt?.['cached_tokens'] ?? usage['prompt_cache_hit_tokens'] ?? usage['cached_tokens']

/** What llama.cpp tells beside its answer; servers of before 2025 tell nothing else in a stream. */
export function readTimings(value: unknown): Usage | undefined {
  const timings = fieldsOf(value)
  const prompt = countOf(timings?.['prompt_n'])
  const cached = countOf(timings?.['cache_n'] ?? 0)
  const predicted = countOf(timings?.['predicted_n'])
  if (prompt === undefined || cached === undefined || predicted === undefined) return undefined
  return { inputTokens: prompt, cachedInputTokens: cached, outputTokens: predicted, source: 'reported' }
}

const countOf = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS ? (value as number) : undefined
