import type { Addresses } from './allowed-address.ts'

/** Why something was not fetched. What is inside a network must not show: no such name, and a private one, read alike. */
const sentences = {
  malformed: 'is not a valid URL',
  scheme: 'does not begin with https://',
  userinfo: 'holds a user name or a password',
  port: 'names a port other than 443 or 8443',
  address: 'does not lead to a public server',
  unreachable: 'could not be reached',
  timeout: 'did not answer in time',
  too_large: 'sends more than is allowed',
  broken: 'broke off, or answered with something other than HTTP',
} as const

/** Where private networks are open, more is allowed, so what is wrong is something else. */
const openSentences: Partial<Record<RefusalReason, string>> = {
  scheme: 'begins with neither https:// nor http://',
  address: 'leads to no server that may be asked',
}

export type RefusalReason = keyof typeof sentences

/** `sentence` follows the URL, or whatever stands for it, in what the tenant is told. */
export type Refusal = { kind: 'refused'; reason: RefusalReason; sentence: string; cause?: unknown }

type Circumstances = { addresses?: Addresses; cause?: unknown }

export const refused = (reason: RefusalReason, { addresses, cause }: Circumstances = {}): Refusal => ({
  kind: 'refused',
  reason,
  sentence: (addresses === 'private_too' && openSentences[reason]) || sentences[reason],
  ...(cause === undefined ? {} : { cause }),
})
