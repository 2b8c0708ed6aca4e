import type { FinishReason } from '@weir/contracts'

const reasons: Record<string, FinishReason> = {
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  content_filter: 'content_filter',
  safety: 'content_filter',
  tool_calls: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'tool_calls',
}

/** The answer broke off, says vLLM, OpenRouter and DeepSeek: what there is of it must not pass for the whole. */
const failures = new Set(['error', 'abort', 'insufficient_system_resource'])

/**
 * Why a choice ended. Reasons that we do not know end it as well as `stop` does. One that ends by `stop` after calling
 * tools waits for their results, whatever its server says.
 */
export function finishReasonOf(reason: unknown, hasCalls: boolean): FinishReason | 'failed' | undefined {
  if (typeof reason !== 'string' || reason === '') return undefined
  if (failures.has(reason)) return 'failed'
  const known = Object.hasOwn(reasons, reason) ? reasons[reason] : undefined
  return known ?? (hasCalls ? 'tool_calls' : 'stop')
}
