import { type Addresses, type RefusalReason, type Resolve, guardedFetch } from '@weir/outbound'
import { type Event, messageOf } from './message.ts'
import { retryAfterMsOf } from './retry-after.ts'

export type SendOptions = {
  /** Whom a tenant may send us to. */
  addresses: Addresses
  /** From finding the server to the head of its answer. */
  timeoutMs: number
  /** For tests; who is asked for the addresses of a name. */
  resolve?: Resolve
}

/** What an endpoint is told: an event, where, and signed with what. */
export type Parcel = { event: Event; url: string; secrets: readonly string[] }

/** `unsigned`: none of its secrets can be read, so nothing was sent. `sentence` follows the endpoint in what its owner is told. */
export type Answer =
  | { kind: 'answered'; status: number; retryAfterMs?: number | undefined }
  | { kind: 'unanswered'; reason: RefusalReason | 'unsigned'; sentence: string }

const UNSIGNED: Answer = {
  kind: 'unanswered',
  reason: 'unsigned',
  sentence: 'has a signing secret that cannot be read any more: rotate it',
}

/** Sends an event once. Of the answer only its head is read, and no redirect is followed. What goes wrong is a value. */
export async function send(
  { event, url, secrets }: Parcel,
  options: SendOptions,
  signal: AbortSignal,
): Promise<Answer> {
  if (secrets.length === 0) return UNSIGNED
  const { body, headers } = messageOf(event, secrets, new Date())
  const fetched = await guardedFetch(url, {
    ...options,
    method: 'POST',
    body,
    headers,
    maxBytes: 0,
    headOnly: true,
    signal,
  })
  if (fetched.kind === 'refused') return { kind: 'unanswered', reason: fetched.reason, sentence: fetched.sentence }
  return { kind: 'answered', status: fetched.status, retryAfterMs: retryAfterMsOf(fetched.retryAfter) }
}
