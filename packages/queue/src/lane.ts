import type { CompletionId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { Queue } from 'bullmq'
import { type LaneName, laneKeys } from './lane-keys.ts'
import { type Pace, createPaceReader } from './pace.ts'

/** The waiting room of one kind of work. BullMQ dispatches and recovers; the truth about a completion is elsewhere. */
export type Lane = AsyncDisposable & {
  /**
   * Puts a completion on the lane; one that is already there stays where it is. Commands sent on the same connection
   * before this call reach Redis before the job does.
   */
  enqueue(id: CompletionId): Promise<void>
  /** The same for many. Some may be there and others not when it fails: asked again, it adds those. */
  enqueueAll(ids: readonly CompletionId[]): Promise<void>
  /** Whether the lane still knows the completion, waiting or running. */
  has(id: CompletionId): Promise<boolean>
  /** How many completions are before this one; undefined when it does not wait. Looks through the whole lane. */
  positionOf(id: CompletionId): Promise<number | undefined>
  /** How fast workers take from it. */
  pace(): Promise<Pace>
}

export type LaneOptions = { redis: Redis; prefix: string; lane: LaneName; onError: (error: Error) => void }

const BULK = 200

export function openLane(options: LaneOptions): Lane {
  const keys = laneKeys(options.prefix, options.lane)
  const { queue: name, prefix, waiting } = keys
  const readPace = createPaceReader(options.redis, keys)
  const queue = new Queue(name, {
    connection: options.redis,
    prefix,
    // Nobody reads BullMQ's event stream: replies have their own channel.
    streams: { events: { maxLen: 1_000 } },
  })
  queue.on('error', options.onError)

  return {
    async enqueue(id) {
      // A reference and no options: a job is a few hundred bytes, whatever the prompt weighs.
      await queue.add('completion', {}, { jobId: id })
    },
    async enqueueAll(ids) {
      // More in one pipeline would keep Redis from everybody else for as long as it takes (bullmq's addBulk is one).
      for (let i = 0; i < ids.length; i += BULK)
        await queue.addBulk(ids.slice(i, i + BULK).map((jobId) => ({ name: 'completion', data: {}, opts: { jobId } })))
    },
    async has(id) {
      return (await queue.getJob(id)) !== undefined
    },
    pace: readPace,
    positionOf: (id) => positionIn(options.redis, waiting, id),
    // A connection that is cut meanwhile is closed as well.
    [Symbol.asyncDispose]: () => queue.close().catch(options.onError),
  }
}

/** Workers take from the end of the list. One transaction: between two answers the list would have moved. */
async function positionIn(redis: Redis, waiting: string, id: CompletionId): Promise<number | undefined> {
  const [found, length] = (await redis.multi().lpos(waiting, id, 'RANK', -1).llen(waiting).exec()) ?? []
  const error = found?.[0] ?? length?.[0]
  if (error) throw error
  const index = found?.[1]
  return typeof index === 'number' ? Number(length?.[1]) - 1 - index : undefined
}
