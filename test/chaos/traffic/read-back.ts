import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange, History, Kind } from '../history.ts'
import { isEndedBatch, resultFilesOf } from './batch-plays.ts'
import { type Client, createClient, type Service } from './client.ts'

/** Kinds whose results may be asked for later. */
const kept: Kind[] = ['background', 'cancel', 'prefer']

const TRIES = 20

/** When all is quiet, asks once more for everything that went on without its client. */
export async function readBack(service: Service, history: History): Promise<void> {
  const exchanges = [...history.exchanges]
  for (const play of history.plays) {
    const own = exchanges.filter(({ play: number }) => number === play.number)
    const client = createClient(service, history, play)
    if (kept.includes(play.kind)) await readCompletion(client, own)
    if (play.kind === 'batch') await readBatches(client, own)
  }
}

async function readCompletion(client: Client, exchanges: readonly Exchange[]): Promise<void> {
  const created = exchanges.find(({ step }) => step === 'create')
  if (!created?.completionId || (client.play.kind === 'prefer' && created.status !== 202)) return
  await readUntilAnswered(client, 'read back', `/v1/chat/completions/${created.completionId}`)
}

/** Each batch that the play knows of, and the results that it names. */
async function readBatches(client: Client, exchanges: readonly Exchange[]): Promise<void> {
  for (const { object } of exchanges.filter(({ step }) => step === 'make batch')) {
    if (object === undefined) continue
    const { object: batch } = await readUntilAnswered(client, 'read batch', `/v1/batches/${String(object['id'])}`)
    if (!isEndedBatch(batch)) continue
    for (const [what, file] of resultFilesOf(batch))
      await readUntilAnswered(client, `read ${what}`, `/v1/files/${file}/content`)
  }
}

async function readUntilAnswered(client: Client, step: string, path: string): Promise<Exchange> {
  for (let n = 0; ; n++) {
    const read = await client.ask(n === 0 ? step : `${step} again`, { method: 'GET', path })
    if (read.status !== 503 || n === TRIES) return read
    // Connections that were cut last are still being made again.
    await sleep(100)
  }
}
