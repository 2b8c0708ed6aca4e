import { type BatchId, type FileId, ServiceError } from '@weir/contracts'

export const fileTooLarge = (most: number): ServiceError =>
  new ServiceError('request_too_large', `The file is too large: it may have ${most} bytes. Split it.`, {
    param: 'file',
    extra: { limit: { scope: 'account', name: 'file_bytes', value: most } },
  })

export const tooManyBytes = (most: number): ServiceError =>
  new ServiceError(
    'file_quota_exceeded',
    `With this file the account would have more than the ${most} bytes of files that it may have. Delete some that are no longer needed.`,
    { param: 'file', extra: { limit: { scope: 'account', name: 'bytes_of_files', value: most } } },
  )

export const tooManyFiles = (most: number): ServiceError =>
  new ServiceError(
    'file_quota_exceeded',
    `The account has ${most} files, as many as it may have. Delete some that are no longer needed.`,
    { param: 'file', extra: { limit: { scope: 'account', name: 'files', value: most } } },
  )

export const fileInUse = (id: FileId, batch: BatchId): ServiceError =>
  new ServiceError(
    'file_in_use',
    `The file ${id} is the input of ${batch}, which has not ended: cancel that, or wait for its end.`,
    { param: 'id', extra: { batch_id: batch } },
  )

/** Swept while it was written: nothing had come for too long. */
export const fileIsGone = (id: FileId): ServiceError =>
  new ServiceError(
    'request_timeout',
    `The file ${id} was given up, because nothing of it had come for an hour. Send it again.`,
  )
