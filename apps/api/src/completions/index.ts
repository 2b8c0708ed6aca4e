import type { FastifyInstance } from 'fastify'
import { type CancelCompletionDeps, cancelCompletions } from './cancel-completion.ts'
import { type ChangeDeps, changeCompletions } from './change-completion.ts'
import { type CreateDeps, createCompletions } from './create.ts'
import { type ListDeps, listCompletions } from './list-completions.ts'
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
    await app.register(createCompletions(deps))
    await app.register(listCompletions(deps))
    await app.register(showCompletions(deps))
    await app.register(streamCompletions(deps))
    await app.register(changeCompletions(deps))
    await app.register(cancelCompletions(deps))
  }
}
