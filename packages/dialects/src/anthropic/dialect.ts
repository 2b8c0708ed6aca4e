import type { Dialect, Refusable } from '../dialect.ts'
import { renderAnswer } from './answer.ts'
import { renderError, renderErrorEvent } from './error.ts'
import { createStreamRenderer } from './stream-renderer.ts'

const params: Partial<Record<Refusable, string>> = {
  custom_tools: 'tools',
  vision: 'messages',
  audio: 'messages',
  files: 'messages',
  json_object: 'output_config.format',
  json_schema: 'output_config.format',
  reasoning: 'thinking',
  maxOutputTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

/** Anthropic's messages. */
export const dialect: Dialect = {
  name: 'anthropic',
  renderAnswer,
  createStreamRenderer,
  renderError,
  renderErrorEvent,
  paramOf: (what) => params[what] ?? what,
}
