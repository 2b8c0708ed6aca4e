import type { Exchange } from '../history.ts'
import { isEnded, pollToTheEnd } from './background-plays.ts'
import type { Client } from './client.ts'

const TRY_AGAIN_MS = 200

/** Starts something, sooner or later cancels it, twice and at different replicas, and looks what became of it. */
export async function playCancelling(client: Client): Promise<void> {
  const { stream, afterEvents, afterMs, replica } = client.play
  const body = client.body({ background: true })
  const created = await client.ask('create', { body }, stream ? { leaveAfterEvents: afterEvents } : {})
  const id = created.completionId
  if (!id) return

  if (!stream) await client.sleep(afterMs)
  const cancelled = await Promise.all([
    cancelUntilHeard(client, id, replica),
    cancelUntilHeard(client, id, replica + 1),
  ])
  if (!cancelled.some(isEnded)) await pollToTheEnd(client, id)
}

async function cancelUntilHeard(client: Client, id: string, replica: number): Promise<Exchange> {
  for (let n = 0; ; n++) {
    const path = `/v1/chat/completions/${id}/cancel`
    const cancelled = await client.ask('cancel', { path, body: {}, replica: replica + n })
    if (cancelled.end === 'answered' || (cancelled.status ?? 500) < 500 || !client.goesOn()) return cancelled
    await client.sleep(TRY_AGAIN_MS)
  }
}
