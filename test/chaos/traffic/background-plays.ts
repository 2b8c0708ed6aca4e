import type { Exchange } from '../history.ts'
import type { Client } from './client.ts'

const POLL_MS = 300
const endStates = ['completed', 'failed', 'cancelled', 'expired']

export const isEnded = ({ completionStatus }: Exchange): boolean => endStates.includes(completionStatus ?? '')

/** Hands work over and comes back for its result, asking any replica. */
export async function playInBackground(client: Client): Promise<void> {
  const { stream, afterEvents } = client.play
  const body = client.body({ background: true })
  // Who watches it as a stream may go away: it goes on.
  const created = await client.ask('create', { body }, stream ? { leaveAfterEvents: afterEvents } : {})
  if (created.completionId) await pollToTheEnd(client, created.completionId)
}

/** Waits a second, takes the 202 if it comes to that, and then polls. */
export async function playPreferring(client: Client): Promise<void> {
  const created = await client.ask('create', { body: client.body(), headers: { prefer: 'wait=1' } })
  if (created.status === 202 && created.completionId) await pollToTheEnd(client, created.completionId)
}

/** Asks until it has ended, at a replica after another. Gives up with the traffic: the books are looked at in any case. */
export async function pollToTheEnd(client: Client, id: string): Promise<void> {
  for (let n = 0; client.goesOn(); n++) {
    const polled = await client.ask('poll', { method: 'GET', path: `/v1/chat/completions/${id}`, replica: n })
    if (isEnded(polled)) return
    await client.sleep(POLL_MS)
  }
}
