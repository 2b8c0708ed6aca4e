import { type ViewDeps, viewOf } from '@weir/completions'
import { type AccountId, type CompletionId, ServiceError } from '@weir/contracts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { CompletionParams } from './schemas.ts'
import { styles } from './styles.ts'
import { renderViewAs } from './render-view.ts'

export type ShowDeps = ViewDeps

/** GET /v1/chat/completions/{id} and /v1/messages/{id}: a completion at any time of its life. */
export function showCompletions(deps: ShowDeps) {
  return async (app: FastifyInstance) => {
    for (const { path, dialect, tags, shown, error } of styles)
      app.withTypeProvider<ZodTypeProvider>().get(
        `${path}/:id`,
        {
          schema: {
            summary: 'Show a completion',
            description:
              'Its status, its place in the queue while it waits, every attempt at it, and what it said for as long as that is kept. In whichever API it was begun, it is shown in both.',
            tags,
            security: [{ apiKey: [] }],
            params: CompletionParams,
            response: { 200: shown, '4xx': error, '5xx': error },
          },
        },
        async ({ identity, params }) =>
          renderViewAs(dialect, await foundView(deps, identity.accountId, params.id)) as never,
      )
  }
}

/** As it stands now. What belongs to another account is not there. */
export async function foundView(deps: ShowDeps, accountId: AccountId, id: CompletionId) {
  const view = await viewOf(deps, accountId, id)
  if (!view) throw notFound(id)
  return view
}

export const notFound = (id: CompletionId) =>
  new ServiceError('not_found', `There is no completion ${id}.`, { param: 'id' })
