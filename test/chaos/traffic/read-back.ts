import { setTimeout as sleep } from 'node:timers/promises'
import type { History, Kind } from '../history.ts'
import { createClient, type Service } from './client.ts'

/** Kinds whose results may be asked for later. */
const kept: Kind[] = ['background', 'cancel', 'prefer']

const TRIES = 20

/** When all is quiet, asks once more for everything that went on without its client. */
export async function readBack(service: Service, history: History): Promise<void> {
  const exchanges = [...history.exchanges]
  for (const play of history.plays.filter(({ kind }) => kept.includes(kind))) {
    const created = exchanges.find(({ play: number, step }) => number === play.number && step === 'create')
    if (!created?.completionId || (play.kind === 'prefer' && created.status !== 202)) continue
    const client = createClient(service, history, play)
    const path = `/v1/chat/completions/${created.completionId}`
    for (let n = 0; n < TRIES; n++) {
      const read = await client.ask(n === 0 ? 'read back' : 'read back again', { method: 'GET', path })
      if (read.status !== 503) break
      // Connections that were cut last are still being made again.
      await sleep(100)
    }
  }
}
