import type { CompletionId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { Queue } from 'bullmq'
import { laneKeys } from './lane-keys.ts'

/** The waiting room of one kind of work. BullMQ dispatches and recovers; the truth about a completion is elsewhere. */
export type Lane = AsyncDisposable & {
  /**
   * Puts a completion on the lane; one that is already there stays where it is. Commands sent on the same connection
   * before this call reach Redis before the job does.
   */
  enqueue(id: CompletionId): Promise<void>
  /** Whether the lane still knows the completion, waiting or running. */
  has(id: CompletionId): Promise<boolean>
}

export function openLane(options: { redis: Redis; prefix: string; onError: (error: Error) => void }): Lane {
  const { queue: name, prefix } = laneKeys(options.prefix)
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
    async has(id) {
      return (await queue.getJob(id)) !== undefined
    },
    [Symbol.asyncDispose]: () => queue.close(),
  }
}
