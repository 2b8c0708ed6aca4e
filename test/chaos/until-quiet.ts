import { setTimeout as sleep } from 'node:timers/promises'
import { rowsOf } from '../e2e/testing/rows.ts'
import type { ModelServer } from './model/model-server.ts'

const POLL_MS = 250

/** Waits until nothing is open any more. What still is when patience ends is named. */
export async function untilQuiet(databaseUrl: string, model: ModelServer, patienceMs: number): Promise<string[]> {
  const until = performance.now() + patienceMs
  for (;;) {
    const open = [...(await openIn(databaseUrl)), ...runningIn(model)]
    if (open.length === 0 || performance.now() > until) return open
    await sleep(POLL_MS)
  }
}

const runningIn = ({ productions }: ModelServer): string[] =>
  productions
    .filter(({ end }) => end === 'running')
    .map(({ token, attempt }) => `the model still answers ${token}.${attempt}`)

async function openIn(databaseUrl: string): Promise<string[]> {
  const rows = await rowsOf<{ id: string; state: string }>(
    databaseUrl,
    `select id, state from store.completion where state not in ('completed', 'failed', 'cancelled', 'expired')
     union all select id, 'reserved for' from ledger.reservation where state = 'open'
     union all select id, 'a batch, ' || state from store.batch where ended_at is null
     union all select event_id, 'an event that nobody was told of' from store.webhook_delivery where state = 'pending'`,
  )
  return rows.map(({ id, state }) => `${id} is ${state}`)
}
