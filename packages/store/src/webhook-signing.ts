import { type AccountId, type EndpointId, uuidOf } from '@weir/contracts'
import type { SecretBox } from './webhook-secret.ts'

/** What a delivery is signed with, in a row of an endpoint or of an account's own secret. */
export type SealedSecrets = { secret: Buffer; previous_secret: Buffer | null; previous_until: Date | null }

/** For so long what is sent is signed with the previous secret as well, where that was asked for. */
export const OVERLAP_MS = 86_400_000

/** Whoever has the account's own secret, or an endpoint with one. */
export type SecretOwner = AccountId | EndpointId

/** The current secret and, during a rotation, the one before. None where they cannot be read: the pepper has changed. */
export function secretsIn(box: SecretBox, owner: SecretOwner, row: SealedSecrets): string[] {
  const isKept = row.previous_until !== null && row.previous_until.getTime() > Date.now()
  const sealed = isKept && row.previous_secret ? [row.secret, row.previous_secret] : [row.secret]
  return sealed.map((each) => box.unseal(each, uuidOf(owner))).filter((secret) => secret !== undefined)
}
