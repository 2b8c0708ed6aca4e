import type { CompletionId } from '@weir/contracts'
import { openTestRedis } from '@weir/local/testing'
import { openRedis } from '@weir/runtime'
import { type ConsumeOptions, type Consumer, startConsumer } from '../consume.ts'
import { laneKeys } from '../lane-keys.ts'
import { openLane } from '../lane.ts'

type Process = ConsumeOptions['process']

/** A lane on a real Redis, with as many consumers as a test starts. All end with the fixture. */
export async function laneFixture(given: { url?: string } = {}) {
  const resources = new AsyncDisposableStack()
  const test = resources.use(await openTestRedis())
  const { url = test.url } = given
  const { prefix } = test
  const onError = () => {}
  const connect = async (kind: 'command' | 'blocking' = 'command') =>
    resources.use(await openRedis(url, { kind, timeoutMs: 10_000, onError }))
  const redis = await connect()
  const lane = resources.use(openLane({ redis, prefix, lane: 'interactive', onError }))
  const { queue, prefix: lanePrefix } = laneKeys(prefix, 'interactive')

  return {
    ...lane,
    url,
    prefix,
    redis,
    connect,
    /** The name of one of BullMQ's keys: `wait`, `active`, `delayed`, `events`, or a job's id. */
    keyOf: (name: string) => `${lanePrefix}:${queue}:${name}`,
    async consume(process: Process, options: Partial<ConsumeOptions> = {}): Promise<Consumer> {
      const consumer = startConsumer({
        lane: 'interactive',
        redis: await connect('blocking'),
        prefix,
        concurrency: 10,
        lockMs: 15_000,
        stalledIntervalMs: 5_000,
        process,
        onError,
        ...options,
      })
      resources.defer(() => consumer.stop(0))
      return consumer
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** A process that waits in each run until the test lets it go on, or until its signal aborts. */
export function heldProcess() {
  const runs: { id: CompletionId; signal: AbortSignal; release: () => void }[] = []
  let running = 0
  let mostAtOnce = 0
  const process: Process = async (id, signal) => {
    const held = Promise.withResolvers<void>()
    runs.push({ id, signal, release: held.resolve })
    mostAtOnce = Math.max(mostAtOnce, ++running)
    await held.promise
    running--
    return { kind: 'done' }
  }
  return { process, runs, mostAtOnce: () => mostAtOnce }
}

export const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
