import type { Dialect, Refusable } from '../dialect.ts'
import { createStreamRenderer, renderAnswer } from './answer.ts'
import { renderError, renderErrorEvent } from './error.ts'

const params: Partial<Record<Refusable, string>> = {
  custom_tools: 'tools',
  vision: 'messages',
  audio: 'messages',
  files: 'messages',
  json_object: 'response_format',
  json_schema: 'response_format',
  reasoning: 'reasoning_effort',
  choices: 'n',
  penalties: 'frequency_penalty',
  maxOutputTokens: 'max_completion_tokens',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

/** OpenAI's chat completions. */
export const dialect: Dialect = {
  name: 'openai',
  renderAnswer,
  createStreamRenderer,
  renderError,
  renderErrorEvent,
  paramOf: (what) => params[what] ?? what,
}
