import { type JSONWebKeySet, compactVerify, createLocalJWKSet, errors } from 'jose'

export type Signed = { kid: string; payload: unknown }

/** What the API says that its signatures are for. */
const TYPE = 'weir-receipt'

/** What a signature covers and which key made it, or a sentence that says why it proves nothing. */
export async function openSignature(signature: string, keys: JSONWebKeySet): Promise<Signed | string> {
  try {
    const { payload, protectedHeader } = await compactVerify(signature, createLocalJWKSet(keys), {
      algorithms: ['EdDSA'],
    })
    if (protectedHeader.typ !== TYPE) return 'The signature is genuine, but not that of a receipt.'
    return { kid: protectedHeader.kid ?? '', payload: JSON.parse(new TextDecoder().decode(payload)) }
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'The key it is signed with is not among the keys.'
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return 'The signature is false: what is signed was changed, or another key has signed it.'
    if (error instanceof errors.JWKSInvalid) return 'The keys are no JSON Web Key Set.'
    if (error instanceof errors.JOSEAlgNotAllowed)
      return 'The signature is not an Ed25519 one, as those of receipts are.'
    if (error instanceof errors.JOSEError) return 'The signature is damaged.'
    throw error
  }
}
