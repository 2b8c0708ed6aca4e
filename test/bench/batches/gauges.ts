import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { cpuTimeOf } from '../cpu-time.ts'
import type { WeirSide } from '../weir-side.ts'

/** What it takes at one moment; undefined is what cannot be known here. */
export type Reading = {
  apiRssMb: number | undefined
  workerRssMb: number | undefined
  redisMb: number
  redisKeys: number
}

export type Spent = Record<'API' | 'worker' | 'Postgres' | 'Redis', number | undefined>

const SAMPLE_MS = 200
const MEGABYTE = 1_048_576

export type Gauges = AsyncDisposable & {
  /** CPU time until now, in milliseconds. */
  cpuMs(): Spent
  databaseMb(): Promise<number>
  /** The most that Redis has ever held, by its own account: also between two samples. */
  redisPeakMb(): Promise<number>
}

/** Looks at what Weir and its servers take, several times a second until it is disposed of. */
export async function openGauges(weir: WeirSide, onReading: (reading: Reading) => void): Promise<Gauges> {
  await using resources = new AsyncDisposableStack()
  const redis = resources.adopt(new Redis(weir.redisUrl), (client) => client.disconnect())
  const database = resources.adopt(new pg.Client({ connectionString: weir.databaseUrl }), (client) => client.end())
  await database.connect()

  const stopping = new AbortController()
  const sampling = sampleUntil(stopping.signal, async () => {
    const [memory, redisKeys] = await Promise.all([memoryOf(redis), redis.dbsize()])
    const [apiRssMb, workerRssMb] = [rssOf(weir.apiPids), rssOf(weir.workerPids)]
    onReading({ apiRssMb, workerRssMb, redisMb: memory.used, redisKeys })
  })
  resources.defer(() => {
    stopping.abort()
    return sampling
  })

  const opened = resources.move()
  return {
    cpuMs: () => ({
      API: cpuTimeOf(weir.apiPids),
      worker: cpuTimeOf(weir.workerPids),
      Postgres: weir.leansOn['Postgres'] && cpuTimeOf(weir.leansOn['Postgres']),
      Redis: weir.leansOn['Redis'] && cpuTimeOf(weir.leansOn['Redis']),
    }),
    async databaseMb() {
      const { rows } = await database.query('select pg_database_size(current_database())::float8 as bytes')
      return rows[0].bytes / MEGABYTE
    },
    redisPeakMb: async () => (await memoryOf(redis)).peak,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function sampleUntil(signal: AbortSignal, sample: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sample()
    await pause(SAMPLE_MS, undefined, { signal }).catch(() => {})
  }
}

async function memoryOf(redis: Redis): Promise<{ used: number; peak: number }> {
  const info = await redis.info('memory')
  const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]) / MEGABYTE
  return { used: figure('used_memory'), peak: figure('used_memory_peak') }
}

/** Of all of them together. */
function rssOf(pids: readonly number[]): number | undefined {
  try {
    const kilobytes = pids.map((pid) =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]),
    )
    return kilobytes.reduce((sum, each) => sum + each, 0) / 1_024
  } catch {
    return undefined
  }
}
