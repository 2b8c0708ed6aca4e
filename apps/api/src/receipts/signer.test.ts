import { compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { createReceiptSigner } from './signer.ts'

/** The key of RFC 8037, appendix A: seed, public half, thumbprint. */
const seed = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
const published = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  alg: 'EdDSA',
  use: 'sig',
}
const otherSeed = Buffer.alloc(32, 7).toString('base64url')

test('a seed gives the key that the standard says, published without its private half', async () => {
  const { publicKeys } = await createReceiptSigner(seed)

  expect(publicKeys).toEqual([published])
})

test('what was signed is the text, to the byte, and says which key signed it and as what', async () => {
  const signer = await createReceiptSigner(seed)
  const text = '{"cost":0.000018,"model":"模型"}'

  const signature = await signer.sign(text)

  const { payload } = await compactVerify(signature, createLocalJWKSet({ keys: [...signer.publicKeys] }))
  expect(new TextDecoder().decode(payload)).toBe(text)
  expect(decodeProtectedHeader(signature)).toEqual({ alg: 'EdDSA', kid: published.kid, typ: 'weir-receipt' })
})

test('replicas with one seed give the same signature', async () => {
  const [one, other] = await Promise.all([createReceiptSigner(seed), createReceiptSigner(seed)])

  expect(await one.sign('{}')).toBe(await other.sign('{}'))
})

test('what was signed before a rotation can be verified after it', async () => {
  const before = await createReceiptSigner(seed)
  const signature = await before.sign('{}')

  const after = await createReceiptSigner(otherSeed, before.publicKeys)

  expect(after.publicKeys.map(({ kid }) => kid)).toEqual([expect.not.stringMatching(published.kid), published.kid])
  await compactVerify(signature, createLocalJWKSet({ keys: [...after.publicKeys] }))
})

test('a key that is present and past at once is published once, under its own name', async () => {
  const { x } = published

  const { publicKeys } = await createReceiptSigner(seed, [{ x }, { x }])

  expect(publicKeys).toEqual([published])
})
