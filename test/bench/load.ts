import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { readAnswer } from './checked-answer.ts'
import { bodyOf, type Workload } from './workload.ts'

/** Where the load goes: loops are dealt out over the origins. */
export type Destination = { origins: readonly string[]; headers: Record<string, string> }

export type Slice = {
  seconds: number
  answered: number
  wrong: number
  /** Of each complete answer, in milliseconds, in no order. */
  latenciesMs: number[]
  firstTokensMs: number[]
}

export type Window = {
  signal: AbortSignal
  /** Connections open and queues fill before anything counts. */
  leadInMs: number
  lengthMs: number
  /** Called at both ends of what counts. */
  atEdge: () => void
}

const ANSWER_TIMEOUT_MS = 20_000
const PAUSE_AFTER_FAILURE_MS = 50

/**
 * `connections` loops, each asking again as soon as it has its answer. Only answers that end inside the window count.
 * Returns when the last loop has its last answer, which a time limit bounds.
 */
export async function runLoad(destination: Destination, workload: Workload, window: Window): Promise<Slice> {
  const perOrigin = Math.ceil(workload.connections / destination.origins.length)
  const pools = destination.origins.map((origin) => new Pool(origin, { connections: perOrigin, ...timeouts }))
  const slice: Slice = { seconds: 0, answered: 0, wrong: 0, latenciesMs: [], firstTokensMs: [] }
  let phase: 'lead-in' | 'open' | 'over' = 'lead-in'

  const loops = Array.from({ length: workload.connections }, async (_, index) => {
    const ask = asker(pools[index % pools.length]!, destination, workload)
    while (phase !== 'over') {
      const answer = await ask()
      if (phase === 'open') count(slice, answer)
      if (!answer.complete) await pause(PAUSE_AFTER_FAILURE_MS)
    }
  })

  try {
    await pause(window.leadInMs, undefined, { signal: window.signal })
    window.atEdge()
    phase = 'open'
    const opened = performance.now()
    await pause(window.lengthMs, undefined, { signal: window.signal })
    phase = 'over'
    slice.seconds = (performance.now() - opened) / 1000
    window.atEdge()
    await Promise.race([Promise.all(loops), pause(ANSWER_TIMEOUT_MS, undefined, { ref: false })])
  } finally {
    phase = 'over'
    await Promise.all(pools.map((pool) => pool.destroy()))
  }
  return slice
}

export const timeouts = { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS, connectTimeout: 5_000 }

export type Answer = { complete: boolean; latencyMs: number; firstTokenMs: number | undefined }

function count(slice: Slice, { complete, latencyMs, firstTokenMs }: Answer): void {
  if (!complete) return void slice.wrong++
  slice.answered++
  slice.latenciesMs.push(latencyMs)
  if (firstTokenMs !== undefined) slice.firstTokensMs.push(firstTokenMs)
}

/** One request at a time over one pool, by `dispatch`: the cheapest way through undici, and the client's cost is noise here. */
export function asker(
  pool: Pool,
  { headers }: Pick<Destination, 'headers'>,
  workload: Workload,
): () => Promise<Answer> {
  const body = bodyOf(workload)
  const request = {
    path: '/v1/chat/completions',
    method: 'POST' as const,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }
  return () =>
    new Promise((resolve) => {
      const reader = readAnswer(workload)
      const asked = performance.now()
      let status = 0
      let firstTokenMs: number | undefined
      const end = (complete: boolean) => resolve({ complete, latencyMs: performance.now() - asked, firstTokenMs })

      pool.dispatch(request, {
        onRequestStart: () => {},
        onResponseStart: (_, statusCode) => void (status = statusCode),
        onResponseData: (_, bytes) => {
          if (reader.take(bytes)) firstTokenMs = performance.now() - asked
        },
        onResponseEnd: () => end(reader.complete(status)),
        onResponseError: () => end(false),
      })
    })
}
