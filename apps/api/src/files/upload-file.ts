import { ServiceError } from '@weir/contracts'
import { type FileStore, fileTooLarge } from '@weir/store'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { ErrorBody } from '../answer-schemas.ts'
import { givingTime } from '../http/slow-senders.ts'
import { readForm } from './read-form.ts'
import { FileObject, UploadForm, renderFile } from './schemas.ts'
import type { Transfers } from './transfers.ts'

export type UploadDeps = {
  files: Pick<FileStore, 'write' | 'publish' | 'discard'>
  fileBytes: number
  /** A sender that brings next to nothing for so long is cut off. */
  eventStream: { stallMs: number }
}

/** What a form has beside its file. */
const FORM_BYTES = 65_536

/** POST /v1/files: a file, written as it comes; it is there once the last part of its form has been judged. */
export function uploadFiles({ files, fileBytes, eventStream }: UploadDeps, transfers: Transfers) {
  const refuseUnreadable = async ({ headers }: FastifyRequest) => {
    if (!/^multipart\/form-data *;/i.test(headers['content-type'] ?? ''))
      throw new ServiceError('unsupported_media_type', "Send the file as a form, 'Content-Type: multipart/form-data'.")
    if (Number(headers['content-length'] ?? 0) > fileBytes + FORM_BYTES) throw fileTooLarge(fileBytes)
  }

  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/v1/files',
      onRequest: refuseUnreadable,
      // Of a form nothing is validated as a whole.
      validatorCompiler: () => (value) => ({ value }),
      schema: {
        summary: 'Upload a file',
        description: 'The requests of a batch, as JSON Lines. The parts of the form may come in any order.',
        tags: ['files'],
        security: [{ apiKey: [] }],
        consumes: ['multipart/form-data'],
        body: UploadForm,
        response: { 200: FileObject, '4xx': ErrorBody, '5xx': ErrorBody },
      },
      async handler(request) {
        const { accountId, keyId } = request.identity
        using _ = transfers.begin(accountId)
        using _time = givingTime(request.raw, eventStream.stallMs)
        const { taken, fields } = await readForm(
          request,
          ({ filename, bytes }) => files.write({ accountId, keyId, purpose: 'batch', filename, publish: false }, bytes),
          ({ id }) => files.discard(id).catch(() => {}),
        )
        const seconds = fields['expires_after[seconds]']
        const expiresAt = seconds === undefined ? undefined : new Date(taken.createdAt.getTime() + seconds * 1_000)
        return renderFile(await files.publish(taken.id, { expiresAt }))
      },
    })
  }
}
