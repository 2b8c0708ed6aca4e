import { FileId } from '@weir/contracts'
import type { FileRecord } from '@weir/store'
import { z } from 'zod'
import { wholeNumber } from '../inputs.ts'

export const FileParams = z.object({ id: FileId })

export const FilePurpose = z.enum(['batch', 'batch_output'])

export const FileObject = z.object({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: z.int(),
  expires_at: z.int().describe('From then on it is not there'),
  filename: z.string(),
  purpose: FilePurpose.describe('`batch_output`: written by the service'),
  status: z.literal('processed'),
})

export const FileList = z.object({
  object: z.literal('list'),
  data: z.array(FileObject),
  has_more: z.boolean(),
  first_id: z.string().optional().describe('Absent where the list is empty'),
  last_id: z.string().optional(),
})

export const FileDeleted = z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })

export const ListQuery = z.strictObject({
  limit: wholeNumber(10_000).default(10_000),
  after: FileId.optional().describe('The last_id of the page before'),
  order: z.enum(['asc', 'desc']).default('desc').describe('By the time they were made'),
  purpose: FilePurpose.optional(),
})

const seconds = { error: 'must be a whole number of seconds, from 3600 to 2592000' }

const lifetime = {
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z
    .string()
    .regex(/^\d{1,7}$/, seconds)
    .transform(Number)
    .pipe(z.int(seconds).min(3_600, seconds).max(2_592_000, seconds))
    .optional()
    .describe('3600 to 2592000; by default what the service keeps files for'),
}

const together = { error: 'must come with the other field of expires_after' }

/** What an upload says beside its file. */
export const UploadFields = z
  .strictObject({ purpose: z.literal('batch'), ...lifetime })
  .refine((sent) => sent['expires_after[seconds]'] === undefined || sent['expires_after[anchor]'] !== undefined, {
    ...together,
    path: ['expires_after[anchor]'],
  })
  .refine((sent) => sent['expires_after[anchor]'] === undefined || sent['expires_after[seconds]'] !== undefined, {
    ...together,
    path: ['expires_after[seconds]'],
  })
export type UploadFields = z.infer<typeof UploadFields>

/** For the API reference: a form is read part by part, and never as a whole. */
export const UploadForm = z.object({
  file: z.string().meta({ format: 'binary' }).describe('JSON Lines: the requests of a batch'),
  purpose: z.literal('batch'),
  ...lifetime,
})

export const renderFile = ({ id, bytes, createdAt, expiresAt, filename, purpose }: FileRecord) => ({
  id,
  object: 'file' as const,
  bytes,
  created_at: inSeconds(createdAt),
  expires_at: inSeconds(expiresAt),
  filename,
  purpose,
  status: 'processed' as const,
})

const inSeconds = (time: Date): number => Math.floor(time.getTime() / 1_000)
