import type { Redis } from '@weir/runtime'
import { type Job, Queue } from 'bullmq'
import { createLaneWorker } from './lane-worker.ts'

/** A queue of ids of things that are remembered elsewhere: it hands them out, and losing it loses nothing. */
export type WorkQueue = AsyncDisposable & {
  /** Those that are there already stay where they are. */
  add(ids: readonly string[]): Promise<void>
  /** How many wait for a worker. */
  waiting(): Promise<number>
}

type Place = { redis: Redis; prefix: string; name: string; onError: (error: Error) => void }

export function openWorkQueue({ redis, prefix, name, onError }: Place): WorkQueue {
  const queue = new Queue(name, {
    connection: redis,
    prefix: slotOf(prefix, name),
    // Nobody reads BullMQ's event stream.
    streams: { events: { maxLen: 1_000 } },
  })
  queue.on('error', onError)
  return {
    async add(ids) {
      if (ids.length > 0) await queue.addBulk(ids.map((id) => ({ name, data: {}, opts: { jobId: id } })))
    },
    waiting: () => queue.getWaitingCount(),
    [Symbol.asyncDispose]: () => queue.close().catch(onError),
  }
}

export type WorkOptions = Place & {
  concurrency: number
  lockMs: number
  stalledIntervalMs: number
  /** What it throws is told, and the id is forgotten: whoever put it there does so again. `signal` aborts when it must end. */
  process: (id: string, signal: AbortSignal) => Promise<void>
}

/** A fetch whose reply was lost counts as a stall though nothing ran. */
const MAX_STALLS = 20

export type Workers = {
  /** Takes no more; what runs goes on for up to `graceMs`, then its signals abort and it has a moment to end. */
  stop(graceMs: number): Promise<void>
}

/** `redis` is a blocking connection of its own. */
export function startWorkers({ redis, prefix, name, onError, ...options }: WorkOptions): Workers {
  // BullMQ hands out a signal only to a processor that declares three parameters.
  async function processJob(job: Job, _token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    await options.process(job.id!, signal ?? AbortSignal.abort(new Error('BullMQ gave no signal')))
  }
  const worker = createLaneWorker(name, processJob, {
    connection: redis,
    prefix: slotOf(prefix, name),
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledIntervalMs,
    maxStalledCount: MAX_STALLS,
    // What has ended must not stand in the way of the same id when it comes again.
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  })
  worker.on('error', onError)
  worker.on('failed', (_job, error) => onError(error))
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock lost')
  })
  worker.run().catch(onError)

  return {
    async stop(graceMs) {
      const timer = setTimeout(() => worker.cancelAllJobs('shutdown'), graceMs)
      const limit = new Promise<void>((resolve) => void setTimeout(resolve, graceMs + CLOSING_MS).unref())
      // Closing has no end of its own while its connections reconnect.
      await Promise.race([worker.close().catch(onError), limit])
      clearTimeout(timer)
    },
  }
}

const CLOSING_MS = 1_500

/** The braces keep all keys of a queue in one slot of a cluster, as BullMQ's scripts need. */
const slotOf = (prefix: string, name: string): string => `{${prefix}:${name}}`
