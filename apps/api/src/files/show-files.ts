import { type AccountId, type FileId, ServiceError } from '@weir/contracts'
import type { FileStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ErrorBody } from '../answer-schemas.ts'
import { listOf } from '../listing.ts'
import { FileDeleted, FileList, FileObject, FileParams, ListQuery, renderFile } from './schemas.ts'

export type ShowFilesDeps = { files: Pick<FileStore, 'find' | 'list' | 'remove'> }

/** GET /v1/files, one of them, and DELETE: what an account has here. */
export function showFiles({ files }: ShowFilesDeps) {
  return async (plain: FastifyInstance) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const shared = { tags: ['files'], security: [{ apiKey: [] }] }
    const errors = { '4xx': ErrorBody, '5xx': ErrorBody }

    app.get(
      '/v1/files',
      { schema: { ...shared, summary: 'List files', querystring: ListQuery, response: { 200: FileList, ...errors } } },
      async ({ identity: { accountId }, query: { limit, ...query } }) => {
        const fetch = (limit: number) => files.list(accountId, { ...query, limit })
        const { last_id, ...page } = await listOf(limit, fetch, ({ id }) => id, renderFile)
        // Clients take these for text wherever they are there.
        return last_id === null ? page : { ...page, first_id: page.data[0]!.id, last_id }
      },
    )

    app.get(
      '/v1/files/:id',
      { schema: { ...shared, summary: 'Show a file', params: FileParams, response: { 200: FileObject, ...errors } } },
      async ({ identity, params: { id } }) => renderFile(await foundFile(files, identity.accountId, id)),
    )

    app.delete(
      '/v1/files/:id',
      {
        schema: {
          ...shared,
          summary: 'Delete a file',
          params: FileParams,
          response: { 200: FileDeleted, ...errors },
        },
      },
      async ({ identity, params: { id } }) => {
        if (!(await files.remove(identity.accountId, id))) throw noFile(id)
        return { id, object: 'file' as const, deleted: true as const }
      },
    )
  }
}

/** What belongs to another account is not there. */
export async function foundFile(files: Pick<FileStore, 'find'>, accountId: AccountId, id: FileId) {
  const file = await files.find(accountId, id)
  if (!file) throw noFile(id)
  return file
}

const noFile = (id: FileId) => new ServiceError('not_found', `There is no file ${id}.`, { param: 'id' })
