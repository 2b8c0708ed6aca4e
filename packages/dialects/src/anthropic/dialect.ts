import type { Dialect } from '../dialect.ts'
import { renderAnswer } from './answer.ts'
import { renderError, renderErrorEvent } from './error.ts'
import { paramIn, paramOf } from './params.ts'
import { createStreamRenderer } from './stream-renderer.ts'

/** Anthropic's messages. */
export const dialect: Dialect = {
  name: 'anthropic',
  renderAnswer,
  createStreamRenderer,
  renderError,
  renderErrorEvent,
  paramOf,
  paramIn,
}
