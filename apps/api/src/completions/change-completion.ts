import { type AccountId, type CompletionId, ServiceError } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import type { CompletionRecords, KeptCompletions } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { CompletionObject, CompletionParams } from './schemas.ts'
import { renderView } from './render-view.ts'
import { type ShowDeps, foundView, notFound } from './show-completion.ts'

export type ChangeDeps = ShowDeps & {
  completionRecords: Pick<CompletionRecords, 'find' | 'setMetadata'>
  keptCompletions: Pick<KeptCompletions, 'outcomeOf' | 'forget'>
  relay: Pick<Relay, 'discard'>
}

const Deleted = z.object({ id: z.string(), object: z.literal('chat.completion.deleted'), deleted: z.literal(true) })

/** POST /v1/chat/completions/{id}: new metadata. DELETE: what it said is forgotten, and it is listed no more. */
export function changeCompletions(deps: ChangeDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const shared = { tags: ['completions'], security: [{ apiKey: [] }], params: CompletionParams }

    app.post(
      '/v1/chat/completions/:id',
      {
        schema: {
          ...shared,
          summary: 'Replace the metadata of a completion',
          body: z.strictObject({ metadata: openai.Metadata.nullable() }),
          response: { 200: CompletionObject, '4xx': ErrorBody },
        },
      },
      async ({ identity: { accountId }, params: { id }, body }) => {
        if (!(await deps.completionRecords.setMetadata(accountId, id, body.metadata ?? {}))) throw notFound(id)
        return renderView(await foundView(deps, accountId, id))
      },
    )

    app.delete(
      '/v1/chat/completions/:id',
      {
        schema: {
          ...shared,
          summary: 'Delete a completion',
          description: 'It must have ended. Its place in the books, and its receipt, stay.',
          response: { 200: Deleted, '4xx': ErrorBody },
        },
      },
      async ({ identity: { accountId }, params: { id } }) => {
        await forget(deps, accountId, id)
        return { id, object: 'chat.completion.deleted' as const, deleted: true as const }
      },
    )
  }
}

async function forget(deps: ChangeDeps, accountId: AccountId, id: CompletionId): Promise<void> {
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) throw notFound(id)
  if (!record.end)
    throw new ServiceError('not_finished', 'The completion has not ended. Cancel it first.', { param: 'id' })
  await deps.keptCompletions.forget(accountId, id)
  await deps.relay.discard(id)
}
