import type { FastifyInstance } from 'fastify'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { type CancelCompletionDeps, cancelCompletions } from './cancel-completion.ts'
import { type ChangeDeps, changeCompletions } from './change-completion.ts'
import { chatCompletions } from './chat-completions.ts'
import type { CreateDeps } from './create.ts'
import { countTokens } from './count-tokens.ts'
import { type ListDeps, listCompletions } from './list-completions.ts'
import { messages } from './messages.ts'
import { type ShowDeps, showCompletions } from './show-completion.ts'
import { type StreamCompletionDeps, streamCompletions } from './stream-completion.ts'

export type CompletionsDeps = CreateDeps &
  ListDeps &
  ShowDeps &
  StreamCompletionDeps &
  ChangeDeps &
  CancelCompletionDeps

/** One completion, however it was begun: made, shown, followed, changed and cancelled. */
export function completions(deps: CompletionsDeps) {
  return async (app: FastifyInstance) => {
    // Clients add queries of their own to these, such as an API version or a beta.
    await app.register(chatCompletions(deps))
    await app.register(messages(deps))
    await app.register(countTokens(deps))
    await app.register(async (strict) => {
      strict.addHook('preValidation', refuseUnknownQuery)
      await strict.register(listCompletions(deps))
      await strict.register(showCompletions(deps))
      await strict.register(streamCompletions(deps))
      await strict.register(changeCompletions(deps))
      await strict.register(cancelCompletions(deps))
    })
  }
}
