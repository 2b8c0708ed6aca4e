import type { Client } from './client.ts'

/** Asks and waits for the answer, in one piece or as a stream. */
export async function playOnce(client: Client): Promise<void> {
  await client.ask('create', { body: client.body() })
}

/** Reads a long stream with rests in which it takes nothing. */
export async function playSlowly(client: Client): Promise<void> {
  const { afterEvents, pauseMs } = client.play
  await client.ask('create', { body: client.body() }, { rest: { everyEvents: 10 + afterEvents * 5, ms: pauseMs } })
}

/** Goes away before the end, and does not come back. */
export async function playAndLeave(client: Client): Promise<void> {
  const { stream, afterEvents, afterMs } = client.play
  await client.ask(
    'create',
    { body: client.body() },
    stream ? { leaveAfterEvents: afterEvents } : { leaveAfterMs: afterMs },
  )
}

/** Sets a deadline that cannot be met. */
export async function playTooLate(client: Client): Promise<void> {
  await client.ask('create', { body: client.body(), headers: { 'x-weir-timeout': '1' } })
}
