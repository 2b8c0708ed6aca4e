import type { Exchange } from '../history.ts'
import type { Client } from './client.ts'

const TRY_AGAIN_MS = 200

/** Loses its connection on purpose, and by faults, and goes on at another replica where it was. */
export async function playResuming(client: Client): Promise<void> {
  const { drops, pauseMs, replica } = client.play
  let latest = await client.ask('create', { body: client.body() }, { leaveAfterEvents: drops[0] })
  const id = latest.completionId
  if (!id) return

  for (let n = 1, seen = lastEventOf(latest) ?? 0; client.goesOn() && mayGoOn(latest); n++) {
    await client.sleep(latest.end === 'left' ? pauseMs : TRY_AGAIN_MS)
    // By header and by query in turn.
    const byQuery = n % 2 === 0
    const path = `/v1/chat/completions/${id}/stream${byQuery ? `?starting_after=${seen}` : ''}`
    const headers: Record<string, string> = byQuery ? {} : { 'last-event-id': String(seen) }
    const ask = { method: 'GET', path, headers, replica: replica + n }
    latest = await client.ask('resume', ask, { leaveAfterEvents: drops[n] })
    seen = lastEventOf(latest) ?? seen
  }
}

const lastEventOf = ({ eventIds }: Exchange): number | undefined => eventIds.findLast((id) => id !== undefined)

/** Lost, or told to come back. An error that is part of the stream, and so has a number, is the last word. */
function mayGoOn({ end, status = 0, eventIds }: Exchange): boolean {
  if (end === 'error_event') return eventIds.at(-1) === undefined
  return end === 'left' || end === 'broken' || end === 'ended_mute' || (end === 'refused' && status >= 500)
}
