import { statusesOf } from '@weir/completions'
import { type AccountId, EitherCompletionId, ServiceError } from '@weir/contracts'
import { checked, openai } from '@weir/dialects'
import type { CompletionFilter, CompletionRecords } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody, listSchemaOf } from '../answer-schemas.ts'
import { modelName, wholeNumber } from '../inputs.ts'
import { listOf } from '../listing.ts'
import { CompletionObject } from './schemas.ts'
import { renderView } from './render-view.ts'
import type { ShowDeps } from './show-completion.ts'

export type ListDeps = ShowDeps & { completionRecords: Pick<CompletionRecords, 'find' | 'list'> }

const ListQuery = z
  .object({
    limit: wholeNumber(100).default(20),
    after: EitherCompletionId.optional().describe('The last_id of the page before'),
    order: z.enum(['asc', 'desc']).default('desc').describe('By the time they were made'),
    status: z
      .enum(['waiting', 'completed', 'failed', 'cancelled', 'expired'])
      .optional()
      .describe('`waiting`: has not ended'),
    model: modelName.optional(),
    background: z.enum(['true', 'false']).optional(),
  })
  .catchall(z.string())

/** GET /v1/chat/completions: what an account has asked for. */
export function listCompletions(deps: ListDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/chat/completions',
      {
        schema: {
          summary: 'List completions',
          description:
            'Newest first. `metadata[key]=value` keeps those with that pair. What they said is shown by each alone.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          querystring: ListQuery,
          response: { 200: listSchemaOf(CompletionObject), '4xx': ErrorBody },
        },
      },
      async ({ identity, query }) => pageOf(deps, identity.accountId, query),
    )
  }
}

async function pageOf(deps: ListDeps, accountId: AccountId, query: z.infer<typeof ListQuery>) {
  const { limit, after, order, status, model, background, ...rest } = query
  const filter: CompletionFilter = {
    state: status,
    model,
    background: background && background === 'true',
    metadata: metadataOf(rest),
  }
  const views = (limit: number) =>
    deps.completionRecords.list(accountId, filter, { limit, order, after }).then((records) => statusesOf(deps, records))
  const page = await listOf(limit, views, ({ record }) => record.id, renderView)
  return { ...page, first_id: page.data[0]?.id ?? null }
}

const Pairs = z.object({ metadata: openai.Metadata })
const pair = /^metadata\[(.{1,64})\]$/s

function metadataOf(rest: Record<string, string>): CompletionFilter['metadata'] {
  const pairs = Object.entries(rest).map(([name, value]) => {
    const key = pair.exec(name)?.[1]
    if (key === undefined || key === '__proto__')
      throw new ServiceError('unknown_parameter', `Unknown parameter '${name}'.`, { param: name })
    return [key, value] as const
  })
  if (pairs.length === 0) return undefined
  const { value, error } = checked(Pairs, { metadata: Object.fromEntries(pairs) })
  if (error) throw error
  return value.metadata
}
