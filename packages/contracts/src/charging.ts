import type { Microcredits } from './credits.ts'
import { type Price, costOf } from './price.ts'
import { type Usage, generatedTokens, promptTokens } from './usage.ts'

/**
 * Who ended a completion: the client, who cancelled it or went away; us, by a fault, a lost worker, a deadline or a backend
 * that failed; the backend, whose model came to its own end; a limit, the cap on its output.
 */
export type EndedBy = 'client' | 'us' | 'backend' | 'limit'

/** Whether the backend had delivered any of the answer. */
export type Delivery = 'delivered' | 'undelivered'

/** What is known of the usage: the backend told it, or we counted, or the backend told that it was nothing at all. */
export type UsageKnowledge = 'reported' | 'estimated' | 'zero'

export type Charged = 'usage' | 'nothing'

/**
 * What a completion is charged: the published table, cell by cell. Whoever lets the model finish, or cuts it off, pays for
 * what was used, as far as the backend had told or the answer shows; what ends by a fault on our side of the wire is free.
 */
export const charging: Readonly<Record<EndedBy, Record<Delivery, Record<UsageKnowledge, Charged>>>> = {
  backend: {
    delivered: { reported: 'usage', estimated: 'usage', zero: 'nothing' },
    // An empty answer: the prompt was read if the backend says so.
    undelivered: { reported: 'usage', estimated: 'nothing', zero: 'nothing' },
  },
  limit: {
    delivered: { reported: 'usage', estimated: 'usage', zero: 'nothing' },
    undelivered: { reported: 'usage', estimated: 'nothing', zero: 'nothing' },
  },
  client: {
    delivered: { reported: 'usage', estimated: 'usage', zero: 'nothing' },
    // The prompt was read, and there may have been thinking that is not shown: it is charged where the backend says so.
    undelivered: { reported: 'usage', estimated: 'nothing', zero: 'nothing' },
  },
  us: {
    delivered: { reported: 'nothing', estimated: 'nothing', zero: 'nothing' },
    undelivered: { reported: 'nothing', estimated: 'nothing', zero: 'nothing' },
  },
}

export type End = { endedBy: EndedBy; delivered: boolean; usage: Usage }

/** What a completion costs by the table, at this price. */
export function chargeFor(price: Price, { endedBy, delivered, usage }: End): Microcredits {
  const cell = charging[endedBy][delivered ? 'delivered' : 'undelivered'][knowledgeOf(usage)]
  return cell === 'usage' ? costOf(price, usage) : 0n
}

function knowledgeOf(usage: Usage): UsageKnowledge {
  if (promptTokens(usage) + generatedTokens(usage) === 0) return 'zero'
  return usage.source === 'estimated' ? 'estimated' : 'reported'
}
