import type { Exchange } from '../history.ts'
import type { Client } from './client.ts'

const MOST_TRIES = 40
const TRY_AGAIN_MS = 250

/** Sends the same request under one key twice at once, to different replicas, repeats what failed, and asks once more. */
export async function playKeyed(client: Client): Promise<void> {
  const { replica } = client.play
  const both = await Promise.all([untilAnswered(client, 'create', replica), untilAnswered(client, 'twin', replica + 1)])
  if (both.every(isWhole)) await untilAnswered(client, 'again', replica)
}

async function untilAnswered(client: Client, step: string, replica: number): Promise<Exchange> {
  const headers = { 'idempotency-key': `key-${client.play.script.token}` }
  for (let n = 0; ; n++) {
    const answer = await client.ask(step, { body: client.body(), headers, replica: replica + n })
    if (isWhole(answer) || !mayTryAgain(answer) || n === MOST_TRIES || !client.goesOn()) return answer
    await client.sleep(TRY_AGAIN_MS)
  }
}

const isWhole = ({ end, status }: Exchange): boolean => end === 'done' || (end === 'answered' && status === 200)

/** As the official clients do: what the connection lost, what was refused for now, what failed on the other side. */
function mayTryAgain({ end, status = 0 }: Exchange): boolean {
  if (end === 'refused') return status >= 500 || status === 429 || status === 408 || status === 409
  return end === 'broken' || end === 'error_event' || end === 'ended_mute'
}
