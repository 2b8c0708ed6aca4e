import { type ConsumeOptions, type LaneName, startConsumer } from '@weir/queue'
import { type OpenRedisOptions, openRedis } from '@weir/runtime'

/** The lanes that a process takes completions from, each with slots of its own. Disposal drains them together. */
export async function consumeLanes(
  slots: Partial<Record<LaneName, number>>,
  options: Omit<ConsumeOptions, 'lane' | 'concurrency' | 'redis'> & {
    redis: { url: string } & OpenRedisOptions
    shutdownMs: number
    /** What runs and has shown nothing goes back to its lane. */
    handBackSilent: () => void
  },
) {
  const running = new AsyncDisposableStack()
  const { redis, shutdownMs, handBackSilent, ...shared } = options
  const lanes = Object.entries(slots) as [LaneName, number][]
  // A connection that blocks serves one lane.
  const consumers = await Promise.all(
    lanes.map(async ([lane, concurrency]) => {
      const connection = running.use(await openRedis(redis.url, redis))
      return startConsumer({ ...shared, redis: connection, lane, concurrency })
    }),
  )
  running.defer(async () => {
    // In this order, or what is handed back is fetched here again.
    const ended = consumers.map((consumer) => consumer.stop(shutdownMs))
    handBackSilent()
    await Promise.all(ended)
  })
  return {
    /** How long one of them has not asked for a completion although it could run one more, in milliseconds. */
    silentMs: () => Math.max(0, ...consumers.map((consumer) => consumer.silentMs())),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
