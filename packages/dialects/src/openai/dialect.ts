import type { Dialect } from '../dialect.ts'
import { createStreamRenderer, renderAnswer } from './answer.ts'
import { renderError, renderErrorEvent } from './error.ts'
import { paramIn, paramOf } from './params.ts'

/** OpenAI's chat completions. */
export const dialect: Dialect = {
  name: 'openai',
  renderAnswer,
  createStreamRenderer,
  renderError,
  renderErrorEvent,
  paramOf,
  paramIn,
}
