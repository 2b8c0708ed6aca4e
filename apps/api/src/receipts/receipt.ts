import { type ReceiptDeps, receiptOf } from '@weir/completions'
import { type CompletionId, EitherCompletionId, ServiceError } from '@weir/contracts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ErrorBody } from '../answer-schemas.ts'
import { refuseUnknownQuery } from '../http/known-query.ts'
import { renderReceipt } from './render.ts'
import { SignedReceipt } from './schema.ts'
import type { ReceiptSigner } from './signer.ts'

export type ReceiptsDeps = ReceiptDeps & { receiptSigner: ReceiptSigner }

/** GET /v1/chat/completions/{id}/receipt: what a completion cost and why, signed. */
export function receipts(deps: ReceiptsDeps) {
  return async (app: FastifyInstance) => {
    app.addHook('preValidation', refuseUnknownQuery)
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/chat/completions/:id/receipt',
      {
        schema: {
          summary: 'Show the receipt of a completion',
          description:
            'What it used, at which price, what it cost and which grants paid. `signature` is a compact JWS whose payload is the rest.',
          tags: ['completions'],
          security: [{ apiKey: [] }],
          params: z.object({ id: EitherCompletionId }),
          response: { 200: SignedReceipt, '4xx': ErrorBody, '5xx': ErrorBody },
        },
      },
      async ({ identity, params: { id } }) => {
        const answer = await receiptOf(deps, identity.accountId, id)
        if (answer.kind !== 'receipt') throw refusals[answer.kind](id)
        const receipt = renderReceipt(answer.receipt, new Date())
        return { ...receipt, signature: await deps.receiptSigner.sign(JSON.stringify(receipt)) }
      },
    )
  }
}

const refusals = {
  not_found: (id: CompletionId) =>
    new ServiceError('not_found', `The account of this API key has no completion ${id}.`, { param: 'id' }),
  not_ended: () =>
    new ServiceError('not_finished', 'The completion has not ended. It has a receipt once it has.', { param: 'id' }),
  archived: () =>
    new ServiceError('not_found', 'The books of the month of this completion are archived. Ask the operator.', {
      param: 'id',
    }),
}
