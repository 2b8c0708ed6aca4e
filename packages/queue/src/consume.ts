import { setTimeout as sleep } from 'node:timers/promises'
import { CompletionId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { DelayedError, type Job, WaitingError } from 'bullmq'
import { startHeartbeat } from './heartbeat.ts'
import { type LaneName, laneKeys } from './lane-keys.ts'
import { createLaneWorker } from './lane-worker.ts'

/** What came of a job: it is over, it goes back as if never started, or it is to be tried again after a while. */
export type Processed = { kind: 'done' } | { kind: 'hand_back' } | { kind: 'retry'; afterMs: number }

/**
 * `signal` aborts when another worker may have taken the job over, or when `stop` gave up waiting. `run` is higher for each
 * later run of the completion's job, whoever has it: what still comes from an earlier one can be told by it.
 */
export type ProcessCompletion = (id: CompletionId, signal: AbortSignal, run: number) => Promise<Processed>

export type Consumer = {
  /** Takes no more jobs; those running go on for up to `graceMs`, then their signals abort and they have a moment to end. */
  stop(graceMs: number): Promise<void>
  /** How long it has not asked for a job although it could run one more, in milliseconds. */
  silentMs(): number
}

export type ConsumeOptions = {
  redis: Redis
  prefix: string
  lane: LaneName
  concurrency: number
  lockMs: number
  stalledIntervalMs: number
  process: ProcessCompletion
  onError: (error: Error) => void
}

/** A fetch whose reply was lost counts as a stall though nothing ran: attempts are counted by the claim, not here. */
const MAX_STALLS = 20

/** For handing back, and for closing the connections, once the grace is over. */
const CLOSING_MS = 1_500

/** A newer attempt of the same job in the same process waits until the old one has let go. */
const OVERLAP_DELAY_MS = 300

export function startConsumer(options: ConsumeOptions): Consumer {
  const keys = laneKeys(options.prefix, options.lane)
  const { queue, prefix } = keys
  const heartbeat = startHeartbeat({ ...options, keys, slots: options.concurrency })
  const running = new Set<string>()
  let roomSince = performance.now()
  let stopping = false
  /** From here on a job that comes late is not begun any more. */
  let leaving = false
  let onIdle = () => {}

  // BullMQ hands out a signal only to a processor that declares three parameters.
  async function processJob(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const id = CompletionId.parse(job.id)
    // Fetched before we stopped fetching: it begins too late to be told, or waited for, with the others.
    if (leaving) return handBack(job, token)
    // BullMQ renews locks by job id: two attempts here at once, and the end of the old one stops the renewal of the new.
    if (running.has(id)) return delayJob(job, token, OVERLAP_DELAY_MS)

    running.add(id)
    const beganAt = performance.now()
    try {
      const given = signal ?? AbortSignal.abort(new Error('BullMQ gave no signal'))
      const processed = await options.process(id, given, runOf(job))
      if (processed.kind !== 'hand_back') heartbeat.took(performance.now() - beganAt)
      if (processed.kind === 'retry') return await delayJob(job, token, processed.afterMs)
      if (processed.kind === 'hand_back') return await handBack(job, token)
    } finally {
      running.delete(id)
      roomSince = performance.now()
      if (running.size === 0) onIdle()
    }
  }

  const worker = createLaneWorker(queue, processJob, {
    connection: options.redis,
    prefix,
    concurrency: options.concurrency,
    lockDuration: options.lockMs,
    stalledInterval: options.stalledIntervalMs,
    maxStalledCount: MAX_STALLS,
    removeOnComplete: { count: 0 },
    // A job that BullMQ gives up on must not stand in the way of the reconciler, which adds it again by the same id.
    removeOnFail: { count: 0 },
  })
  worker.on('error', options.onError)
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock lost')
  })
  worker.run().catch(options.onError)

  return {
    async stop(graceMs) {
      heartbeat.stop()
      stopping = true
      const nothingRuns = new Promise<void>((resolve) => {
        onIdle = resolve
        if (running.size === 0) onIdle()
      })
      const timer = setTimeout(() => {
        worker.cancelAllJobs('shutdown')
        onIdle()
      }, graceMs)
      // Stops fetching at once; locks keep being renewed until the last job has ended. Closing has no end of its own while
      // its connections reconnect: then the locks lapse and other workers take over.
      const closed = new AbortController()
      const limit = nothingRuns.then(() => {
        leaving = true
        return sleep(CLOSING_MS, undefined, closed).catch(() => {})
      })
      await Promise.race([worker.close().catch(options.onError), limit])
      closed.abort()
      clearTimeout(timer)
    },
    silentMs() {
      if (stopping || running.size >= options.concurrency) return 0
      return performance.now() - Math.max(worker.askedAt, roomSince)
    },
  }
}

/** BullMQ counts how often a job was taken in the step that locks it. A job that is added again counts from 1, but is younger. */
const runOf = (job: Job): number => job.timestamp * 1_000 + job.attemptsStarted

async function delayJob(job: Job, token: string | undefined, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token)
  throw new DelayedError()
}

async function handBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token)
  throw new WaitingError()
}
