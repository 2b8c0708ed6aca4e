import { expect, test } from 'vitest'
import { digestOf, hintOf, isKeySecret, newKeySecret } from './key-secret.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('a new secret begins with what people and scanners recognise, and checks', () => {
  const secret = newKeySecret()

  expect(secret).toMatch(/^weir_sk_[0-9A-Za-z]{38}$/)
  expect(isKeySecret(secret)).toBe(true)
})

test('no two secrets are alike', () => {
  const secrets = Array.from({ length: 10_000 }, newKeySecret)
  expect(new Set(secrets).size).toBe(10_000)
})

test('a secret with any one character changed is not a secret', () => {
  const secret = newKeySecret()
  const changed = [...secret].flatMap((own, i) =>
    [...alphabet, '_', '-', ' ']
      .filter((other) => other !== own)
      .map((other) => secret.slice(0, i) + other + secret.slice(i + 1)),
  )

  expect(changed.length).toBeGreaterThan(2_900)
  expect(changed.filter(isKeySecret)).toEqual([])
})

test('a secret with two neighbours swapped, cut or continued is not a secret', () => {
  const secret = newKeySecret()
  const swapped = Array.from(
    { length: secret.length - 1 },
    (_, i) => secret.slice(0, i) + secret[i + 1] + secret[i] + secret.slice(i + 2),
  ).filter((text) => text !== secret)

  const wrong = [...swapped, secret.slice(0, -1), `${secret}0`, ` ${secret}`, `${secret}\n`, secret.toUpperCase(), '']
  expect(wrong.filter(isKeySecret)).toEqual([])
})

test('the digest depends on the secret and on the pepper, and the hint tells only the end', () => {
  const [secret, other] = [newKeySecret(), newKeySecret()]
  const digests = [digestOf('pepper', secret), digestOf('pepper', other), digestOf('salt', secret)]

  expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(3)
  expect(digestOf('pepper', secret)).toEqual(digests[0])
  expect(hintOf(secret)).toBe(`weir_sk_…${secret.slice(-4)}`)
})
