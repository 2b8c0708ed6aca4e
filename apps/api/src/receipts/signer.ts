import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto'
import { CompactSign, type JWK, calculateJwkThumbprint } from 'jose'

/** A public Ed25519 key as it is published; its `kid` is its RFC 7638 thumbprint, the same wherever it is computed. */
export type PublicKey = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg: 'EdDSA'; use: 'sig' }

export type ReceiptSigner = {
  /** A compact JWS whose payload is this text. */
  sign: (text: string) => Promise<string>
  /** The key it signs with first, then those of the past. */
  publicKeys: readonly PublicKey[]
}

/** Names what a signature is for: nothing else that this key may ever sign can pass for a receipt. */
const TYPE = 'weir-receipt'

/** Signs with the Ed25519 key of a seed: 32 bytes as base64url. What earlier keys have signed stays verifiable. */
export async function createReceiptSigner(
  seed: string,
  pastKeys: readonly Pick<PublicKey, 'x'>[] = [],
): Promise<ReceiptSigner> {
  const privateKey = privateKeyOf(seed)
  const own = await publicKeyOf(createPublicKey(privateKey).export({ format: 'jwk' }).x!)
  const past = await Promise.all(pastKeys.map(({ x }) => publicKeyOf(x)))
  const header = { alg: own.alg, kid: own.kid, typ: TYPE }

  return {
    sign: (text) => new CompactSign(new TextEncoder().encode(text)).setProtectedHeader(header).sign(privateKey),
    publicKeys: [own, ...past.filter(({ kid }) => kid !== own.kid)],
  }
}

/** What stands before the seed in a private Ed25519 key as PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

function privateKeyOf(seed: string): KeyObject {
  const key = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed, 'base64url')])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

async function publicKeyOf(x: string): Promise<PublicKey> {
  const key = { kty: 'OKP', crv: 'Ed25519', x } as const satisfies JWK
  return { ...key, kid: await calculateJwkThumbprint(key), alg: 'EdDSA', use: 'sig' }
}
