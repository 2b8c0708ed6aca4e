import { type Hash, createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ServiceError } from '@weir/contracts'
import type { BatchStore, FileStore, Identity } from '@weir/store'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Transfers } from '../../files/transfers.ts'
import type { BodyRoom } from '../../http/body-room.ts'
import { givingTime } from '../../http/slow-senders.ts'
import { webhookUrlOf } from '../../webhooks/webhook-url.ts'
import type { CreateBatchDeps } from '../create-batch.ts'
import { idempotencyKeyOf } from '../../completions/ask.ts'
import { batchIn } from '../shared.ts'
import { bodyTooLarge } from './inline-body.ts'
import { InlineBatch, type Read, type RequestBounds, linesIn } from './read-requests.ts'
import { renderMessageBatch } from './render-message-batch.ts'
import { MessageBatch } from './schemas.ts'
import { baseUrlOf, refusals, shared } from './shared.ts'

export type CreateMessageBatchDeps = Pick<CreateBatchDeps, 'batchTerms' | 'webhookSending'> & {
  batches: Pick<BatchStore, 'create'>
  files: Pick<FileStore, 'write' | 'removeInput'>
  inlineBatch: RequestBounds
  /** For what is held of a request while it comes. */
  bodyRoom: Pick<BodyRoom, 'share'>
  publicUrl: string | undefined
  /** A sender that brings next to nothing for so long is cut off. */
  eventStream: { stallMs: number }
}

/** Its requests are needed until its window has ended; then they go by themselves. */
const KEPT_LONGER_MS = 86_400_000

/** POST /v1/messages/batches: requests that come in the body itself. They are written to a file as they come. */
export function createMessageBatch(deps: CreateMessageBatchDeps, transfers: Transfers) {
  const refuseTooLarge = async ({ headers }: FastifyRequest) => {
    const { maxBytes } = deps.inlineBatch
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes)
  }

  return async (app: FastifyInstance) => {
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', async (_: FastifyRequest, body: Readable) => body)
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/messages/batches',
      {
        onRequest: refuseTooLarge,
        // Nothing is validated as a whole.
        validatorCompiler: () => (value) => ({ value }),
        schema: {
          ...shared,
          summary: 'Create a message batch',
          description:
            'Requests that are not as they should be end as errored; what is wrong with the list itself is refused at once. `max_credits` and `webhook_url` are ours.',
          body: InlineBatch,
          response: { 200: MessageBatch, ...refusals },
        },
      },
      async ({ identity, raw, body, headers, protocol, host }, reply) => {
        using _ = transfers.begin(identity.accountId)
        using _time = givingTime(raw, deps.eventStream.stallMs)
        if (body === undefined) throw new ServiceError('invalid_request', 'The request body is empty.')
        const key = idempotencyKeyOf(headers['idempotency-key'])
        const { batch, isReplayed } = await created(deps, identity, body as unknown as Readable, key)
        if (isReplayed) reply.header('idempotent-replayed', 'true')
        return renderMessageBatch(batch, baseUrlOf(deps.publicUrl, { protocol, host }))
      },
    )
  }
}

async function created(
  { batches, files, batchTerms, webhookSending, inlineBatch, bodyRoom }: CreateMessageBatchDeps,
  { accountId, keyId }: Pick<Identity, 'accountId' | 'keyId'>,
  body: Readable,
  key: string | undefined,
) {
  const { mostOpen, idempotencyMs, ...terms } = batchTerms
  const digest = createHash('sha256')
  const read: Read = { requests: 0, maxCost: undefined, webhookUrl: undefined }
  using share = bodyRoom.share()
  const expiresAt = new Date(Date.now() + terms.windowMs + KEPT_LONGER_MS)
  const input = await files.write(
    { accountId, keyId, purpose: 'batch_input', filename: 'requests.jsonl', expiresAt },
    linesIn(digested(piecesOf(body), digest), read, inlineBatch, share),
  )
  try {
    const { maxCost, webhookUrl: given } = read
    const made = await batches.create(
      {
        ...terms,
        accountId,
        keyId,
        dialect: 'anthropic',
        endpoint: '/v1/messages',
        inputFileId: input.id,
        metadata: undefined,
        webhookUrl: given === undefined ? undefined : webhookUrlOf(given, webhookSending.addresses),
        dryRun: false,
        maxCost,
        expectedLines: read.requests,
        idempotency: key === undefined ? undefined : { key, digest: digest.digest() },
      },
      { mostOpen, idempotencyMs },
    )
    const found = batchIn(made, mostOpen)
    // It runs with what came the first time.
    if (found.isReplayed) await files.removeInput(accountId, input.id).catch(() => {})
    return found
  } catch (error) {
    await files.removeInput(accountId, input.id).catch(() => {})
    throw error
  }
}

/** What came tells one request from another. */
async function* digested(pieces: AsyncIterable<Uint8Array>, digest: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    digest.update(piece)
    yield piece
  }
}

/** What is refused on the way is read on and thrown away: its sender comes to hear why, and may ask on. */
async function* piecesOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body.iterator({ destroyOnReturn: false })
  } finally {
    body.resume()
  }
}
