import { setTimeout as sleep } from 'node:timers/promises'
import { type CancelDeps, type RejoinDeps, cancel, cancelLost, rejoin } from '@weir/completions'
import type { AccountId, CompletionId } from '@weir/contracts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { renderViewAs } from './render-view.ts'
import { CompletionParams } from './schemas.ts'
import { type ShowDeps, foundView, notFound } from './show-completion.ts'
import { styles } from './styles.ts'

export type CancelCompletionDeps = CancelDeps & RejoinDeps & ShowDeps

/** A running one needs a moment to stop; whoever asks is told of the end, if it comes by then. */
const WAIT_MS = 2_000

/** It may have been accepted a moment ago and be on its way to Redis. */
const ON_ITS_WAY_MS = 250
const LOOKS = 4

/** POST /v1/chat/completions/{id}/cancel and /v1/messages/{id}/cancel: stops it, whoever runs it. One that has ended stays as it ended. */
export function cancelCompletions(deps: CancelCompletionDeps) {
  return async (app: FastifyInstance) => {
    for (const { path, dialect, tags, shown, error } of styles)
      app.withTypeProvider<ZodTypeProvider>().post(
        `${path}/:id/cancel`,
        {
          schema: {
            summary: 'Cancel a completion',
            description:
              'One that no worker has begun costs nothing; a running one pays for what it has generated. Cancelling again changes nothing.',
            tags,
            security: [{ apiKey: [] }],
            params: CompletionParams,
            response: { 200: shown, '4xx': error, '5xx': error },
          },
        },
        async ({ identity: { accountId }, params: { id } }) => {
          const record = await deps.completionRecords.find(accountId, id)
          if (!record || record.isDeleted) throw notFound(id)
          if (!record.end) await stop(deps, accountId, id)
          return renderViewAs(dialect, await foundView(deps, accountId, id)) as never
        },
      )
  }
}

async function stop(deps: CancelCompletionDeps, accountId: AccountId, id: CompletionId): Promise<void> {
  for (let look = 1; look <= LOOKS; look++) {
    const found = await cancel(deps, id)
    if (found === 'decided') return
    if (found !== 'missing') return untilEnd(deps, accountId, id)
    await sleep(ON_ITS_WAY_MS)
  }
  // Redis has lost it. It ends here, before anybody hands it over again.
  await cancelLost(deps, accountId, id)
}

async function untilEnd(deps: CancelCompletionDeps, accountId: AccountId, id: CompletionId): Promise<void> {
  for await (const event of rejoin(deps, { accountId, id }, AbortSignal.timeout(WAIT_MS))) {
    if (event.kind === 'end' || event.kind === 'stored') return
  }
}
