import { type Usage, creditsNumber, generatedTokens } from '@weir/contracts'
import type { Bill } from '../dialect.ts'
import { type Fields, fieldsOf } from '../fields.ts'

/** No call reads or writes a billion tokens. */
const MOST_TOKENS = 1_000_000_000

/** What was used, by the meaning of this API: `input_tokens` leaves out what was read from a cache or written to one. */
export function renderUsage({ usage, charged, clampedTo }: Bill) {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens ?? 0,
    cache_read_input_tokens: usage.cachedInputTokens,
    cache_creation: null,
    output_tokens: generatedTokens(usage),
    output_tokens_details: { thinking_tokens: usage.reasoningTokens ?? 0 },
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
    credits_consumed: creditsNumber(charged),
    clamped_max_tokens: clampedTo,
  }
}

/** Before the answer nothing of this is known; clients replace it by what `message_delta` tells. */
export const usageAtStart = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: null,
  output_tokens: 0,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: null,
  inference_geo: null,
  speed: null,
}

/**
 * Usage in disjoint buckets, or undefined when the numbers cannot be: then we estimate rather than charge nonsense. Zeros
 * are numbers like others: whoever reports them wants nothing.
 */
export function readUsage(value: unknown): Usage | undefined {
  const usage = fieldsOf(value)
  if (!usage) return undefined
  const input = usage['input_tokens']
  const output = usage['output_tokens']
  const cached = usage['cache_read_input_tokens'] ?? 0
  const written = usage['cache_creation_input_tokens'] ?? writtenByAge(fieldsOf(usage['cache_creation']))
  const thinking = fieldsOf(usage['output_tokens_details'])?.['thinking_tokens'] ?? 0
  if (!isCount(input) || !isCount(output) || !isCount(cached) || !isCount(written) || !isCount(thinking))
    return undefined
  if (thinking > output) return undefined
  return {
    inputTokens: input,
    cachedInputTokens: cached,
    ...(written > 0 && { cacheWriteTokens: written }),
    outputTokens: output - thinking,
    ...(thinking > 0 && { reasoningTokens: thinking }),
    source: 'reported',
  }
}

/** What was written for five minutes and for an hour, where only the two are told. */
function writtenByAge(creation: Fields | undefined): unknown {
  const short = creation?.['ephemeral_5m_input_tokens'] ?? 0
  const long = creation?.['ephemeral_1h_input_tokens'] ?? 0
  return isCount(short) && isCount(long) ? short + long : undefined
}

/** One object of usage out of two, of which the later counts wherever it says something. */
export function mergedUsage(first: Fields | undefined, later: Fields): Fields {
  const merged: Fields = { ...first }
  for (const key in later) if (later[key] !== null && later[key] !== undefined) merged[key] = later[key]
  return merged
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS
