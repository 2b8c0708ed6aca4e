import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ReceiptSigner } from './signer.ts'

const KeySet = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      kid: z.string().describe('RFC 7638 thumbprint, as in the header of a signature'),
      alg: z.literal('EdDSA'),
      use: z.literal('sig'),
    }),
  ),
})

/** Long enough to spare us who verifies many, short enough that a new key is soon known. */
const CACHED_FOR_S = 300

/** GET /.well-known/weir-receipt-keys.json: what receipts are verified with, by anybody. */
export function receiptKeys({ receiptSigner }: { receiptSigner: Pick<ReceiptSigner, 'publicKeys'> }) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/.well-known/weir-receipt-keys.json',
      {
        schema: {
          summary: 'List the public keys of receipts',
          description: 'A JSON Web Key Set: the key that signs now, and those that signed before.',
          tags: ['credits'],
          security: [],
          response: { 200: KeySet },
        },
      },
      async (_, reply) => {
        reply.header('cache-control', `public, max-age=${CACHED_FOR_S}`)
        return { keys: [...receiptSigner.publicKeys] }
      },
    )
  }
}
