import { type AccountId, type FileId, ServiceError } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { Addresses } from '@weir/outbound'
import type { BatchStore, FileStore, Identity } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { idempotencyOf } from '../completions/ask.ts'
import { webhookUrlOf } from '../webhooks/webhook-url.ts'
import { renderBatch } from './render-batch.ts'
import { BatchObject, NewBatch } from './schemas.ts'
import { batchIn, refusals, shared } from './shared.ts'

/** What becomes of every batch alike. */
export type BatchTerms = {
  /** Batches of one account that have not ended. */
  mostOpen: number
  windowMs: number
  maxTries: number
  resultsKeptMs: number
  idempotencyMs: number
}

export type CreateBatchDeps = {
  batches: Pick<BatchStore, 'create'>
  files: Pick<FileStore, 'find'>
  batchTerms: BatchTerms
  webhookSending: { addresses: Addresses }
}

/** POST /v1/batches: the requests in a file, to be run when there is room. */
export function createBatch(deps: CreateBatchDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/batches',
      {
        schema: {
          ...shared,
          summary: 'Create a batch',
          description:
            'Every line of the file is checked before any of them runs. `max_credits`, `dry_run` and `webhook_url` are ours.',
          body: NewBatch,
          response: { 200: BatchObject, ...refusals },
        },
        preValidation: async (request) => {
          request.body = openai.withoutNulls(request.body) as never
        },
      },
      async ({ identity, body, headers }, reply) => {
        const idempotency = idempotencyOf(headers['idempotency-key'], {
          ...body,
          max_credits: body.max_credits?.toString(),
        })
        const { batch, isReplayed } = await created(deps, identity, body, idempotency)
        if (isReplayed) reply.header('idempotent-replayed', 'true')
        return renderBatch(batch)
      },
    )
  }
}

async function created(
  deps: CreateBatchDeps,
  { accountId, keyId }: Pick<Identity, 'accountId' | 'keyId'>,
  body: NewBatch,
  idempotency: ReturnType<typeof idempotencyOf>,
) {
  const { batches, files, batchTerms, webhookSending } = deps
  const { mostOpen, idempotencyMs, ...terms } = batchTerms
  const webhookUrl =
    body.webhook_url === undefined ? undefined : webhookUrlOf(body.webhook_url, webhookSending.addresses)
  await assertInput(files, accountId, body.input_file_id)
  const keepSeconds = body.output_expires_after?.seconds
  const made = await batches.create(
    {
      ...terms,
      accountId,
      keyId,
      dialect: 'openai',
      endpoint: body.endpoint,
      inputFileId: body.input_file_id,
      metadata: body.metadata,
      webhookUrl,
      dryRun: body.dry_run ?? false,
      maxCost: body.max_credits,
      resultsKeptMs: keepSeconds === undefined ? terms.resultsKeptMs : keepSeconds * 1_000,
      idempotency,
    },
    { mostOpen, idempotencyMs },
  )
  return batchIn(made, mostOpen)
}

async function assertInput(files: Pick<FileStore, 'find'>, accountId: AccountId, id: FileId): Promise<void> {
  const param = 'input_file_id'
  const file = await files.find(accountId, id)
  if (!file) throw new ServiceError('not_found', `There is no file ${id}.`, { param })
  if (file.purpose !== 'batch')
    throw new ServiceError('invalid_request', `The file ${id} has the purpose '${file.purpose}': it must be 'batch'.`, {
      param,
    })
}
