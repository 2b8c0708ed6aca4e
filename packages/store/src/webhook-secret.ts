import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A signing secret as Standard Webhooks writes it: receivers read the bytes behind the prefix as base64. */
export const newSigningSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64')

export const signingHintOf = (secret: string): string => `${PREFIX}…${secret.slice(-4)}`

export type SecretBox = {
  /** `owner` is whose secret it is: sealed for one, it is not read as another's. */
  seal(secret: string, owner: string): Buffer
  /** Undefined where it was sealed under another pepper, or for somebody else. */
  unseal(sealed: Buffer, owner: string): string | undefined
}

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'

/**
 * Seals signing secrets, which unlike those of API keys must be read again: whoever has the database alone can sign
 * nothing. A sealed one is a version, a nonce, a tag and the text.
 */
export function createSecretBox(pepper: string): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', pepper, '', 'weir webhook signing secrets', 32))

  return {
    seal(secret, owner) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(owner))
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), text])
    },
    unseal(sealed, owner) {
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
      const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
      if (sealed[0] !== VERSION || tag.length < TAG_BYTES) return undefined
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(owner))
        .setAuthTag(tag)
      const text = decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES))
      try {
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
