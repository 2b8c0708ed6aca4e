import { expect, test } from 'vitest'
import { createSecretBox, newSigningSecret, signingHintOf } from './webhook-secret.ts'

test('a signing secret is 32 random bytes behind the prefix that receivers know it by', () => {
  const secret = newSigningSecret()

  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(newSigningSecret()).not.toBe(secret)
  expect(signingHintOf(secret)).toBe(`whsec_…${secret.slice(-4)}`)
})

test('what was sealed is read again by its owner under the same pepper, and by nobody else', () => {
  const box = createSecretBox('one pepper')
  const sealed = box.seal('whsec_abc', 'me')

  expect(sealed.toString('latin1')).not.toContain('whsec_abc')
  expect(box.seal('whsec_abc', 'me').equals(sealed)).toBe(false)
  expect(createSecretBox('one pepper').unseal(sealed, 'me')).toBe('whsec_abc')
  expect(box.unseal(sealed, 'you')).toBeUndefined()
  expect(createSecretBox('another pepper').unseal(sealed, 'me')).toBeUndefined()
})

test('what was changed, cut off or is of another kind is not read', () => {
  const box = createSecretBox('one pepper')
  const sealed = box.seal('whsec_abc', 'me')

  for (let i = 0; i < sealed.length; i += 1) {
    const changed = Buffer.from(sealed)
    changed[i]! ^= 1
    expect(box.unseal(changed, 'me')).toBeUndefined()
    expect(box.unseal(sealed.subarray(0, i), 'me')).toBeUndefined()
  }
})
