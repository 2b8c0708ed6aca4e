import { openRedis } from '@weir/runtime'
import { startConsumer } from '../consume.ts'

// A worker process that takes one job, says so, and never ends it.
const [url, prefix] = process.argv.slice(2)
startConsumer({
  lane: 'interactive',
  redis: await openRedis(url!, { kind: 'blocking', timeoutMs: 10_000, onError: () => {} }),
  prefix: prefix!,
  concurrency: 1,
  lockMs: 1_000,
  stalledIntervalMs: 500,
  process(id) {
    process.send?.(id)
    return new Promise(() => {})
  },
  onError: () => {},
})
