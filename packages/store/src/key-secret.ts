import { createHmac, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const PREFIX = 'weir_sk_'
const RANDOM_LENGTH = 32
const CHECKSUM_LENGTH = 6
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const shape = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`)

/**
 * The secret of an API key: a prefix that people and secret scanners recognise, 190 random bits and a checksum, so that
 * a mistyped or invented key is refused without a look-up (the scheme of GitHub's tokens).
 */
export function newKeySecret(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => alphabet[randomInt(alphabet.length)]).join('')
  return `${PREFIX}${random}${checksumOf(random)}`
}

export function isKeySecret(text: string): boolean {
  if (!shape.test(text)) return false
  const random = text.slice(PREFIX.length, -CHECKSUM_LENGTH)
  return text.endsWith(checksumOf(random))
}

/** What is stored of a secret. A fast hash will do: 190 random bits cannot be guessed, and the pepper is not in the database. */
export const digestOf = (pepper: string, secret: string): Buffer => createHmac('sha256', pepper).update(secret).digest()

export const hintOf = (secret: string): string => `${PREFIX}…${secret.slice(-4)}`

function checksumOf(random: string): string {
  let rest = crc32(random)
  let text = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = alphabet[rest % alphabet.length] + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}
