import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { type ContentDeps, fileContent } from './file-content.ts'
import { formLimits } from './read-form.ts'
import { type ShowFilesDeps, showFiles } from './show-files.ts'
import { createTransfers } from './transfers.ts'
import { type UploadDeps, uploadFiles } from './upload-file.ts'

export type FilesDeps = UploadDeps & ShowFilesDeps & ContentDeps

/** Uploads and downloads at once: each holds about a megabyte. */
const bounds = { most: 128, mostPerAccount: 16 }

/** What an account hands over and is handed in bulk: uploaded, listed, downloaded, deleted. */
export function files(deps: FilesDeps) {
  const transfers = createTransfers(bounds)
  return async (app: FastifyInstance) => {
    app.addHook('preValidation', refuseUnknownQuery)
    await app.register(multipart, { limits: formLimits })
    await app.register(uploadFiles(deps, transfers))
    await app.register(showFiles(deps))
    await app.register(fileContent(deps, transfers))
  }
}
