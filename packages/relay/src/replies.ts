import type { CompletionId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { relayKeys } from './keys.ts'
import { parseReply } from './encoding.ts'
import type { Relay } from './relay.ts'
import { type Watch, type WatchEvent, createWatch } from './watch.ts'

export type Replies = {
  /** Where workers send what this replica waits for. */
  channel: string
  /**
   * Follows a completion from its first frame; it listens from this call until it is disposed of. With `joins` it may have
   * begun before: the replica must be attached to it, and what was said is read from Redis.
   */
  watch(id: CompletionId, options?: { joins: boolean }): CompletionWatch
  /** Whether anybody here follows it. */
  isWatched(id: CompletionId): boolean
}

export type CompletionWatch = Disposable & {
  /** What happens, in order, up to the end or until `signal` aborts. To be called once. */
  events(signal: AbortSignal): AsyncGenerator<WatchEvent, void>
}

/**
 * One channel per replica, subscribed once: nothing is subscribed per completion, so there is no message to miss between
 * asking and listening. A subscriber that was cut off looks into Redis for everything it waits for.
 */
export async function openReplies(options: {
  subscriber: Redis
  relay: Relay
  prefix: string
  replica: string
  bufferBytes: number
  onError: (error: unknown) => void
}): Promise<Replies> {
  const channel = relayKeys(options.prefix).replyChannelOf(options.replica)
  const watches = new Map<CompletionId, Set<Watch>>()

  options.subscriber.on('message', (from: string, text: string) => {
    if (from !== channel) return
    try {
      const message = parseReply(text)
      for (const watch of watches.get(message.id) ?? []) watch.push(message)
    } catch (error) {
      // A newer worker may say what we do not know yet. Thrown from here it would end the process.
      options.onError(error)
    }
  })
  await options.subscriber.subscribe(channel)
  const resync = () => {
    for (const group of watches.values()) for (const watch of group) watch.resync()
  }
  // `ready` comes again after every reconnect, when messages may have been missed. Once the ping is answered we listen
  // again: what comes later than our look is heard.
  options.subscriber.on('ready', () => void options.subscriber.ping().then(resync, options.onError))

  return {
    channel,
    isWatched: (id) => watches.has(id),
    watch(id, { joins } = { joins: false }) {
      const watch = createWatch(options.relay, id, options, { joins })
      const group = watches.get(id) ?? new Set()
      watches.set(id, group.add(watch))
      return {
        events: watch.events,
        [Symbol.dispose]() {
          group.delete(watch)
          if (group.size === 0) watches.delete(id)
        },
      }
    },
  }
}
