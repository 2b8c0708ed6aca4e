import { randomUUID } from 'node:crypto'
import { BackendConfig, type Target } from '@weir/contracts'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { createBackendStandings } from './backend-standings.ts'
import { catalogueOf, completed } from './catalogue-of.ts'
import { publishHealth } from './published-health.ts'
import { openQuota } from './quota.ts'
import { createSlots } from './slots.ts'
import { createTargetHealth } from './target-health.ts'
import { never } from './testing/requests.ts'

const backends = new Map([
  ['gpu', BackendConfig.parse({ kind: 'simulated', slots: 4 })],
  ['spare', BackendConfig.parse({ kind: 'simulated', quota_group: 'vendor' })],
])
const targets: Target[] = [
  { backend: 'gpu', model: 'small' },
  { backend: 'spare', model: 'small' },
]
const model = { id: 'fast', aliases: [], targets, price: { input: 0n, cachedInput: 0n, output: 0n } }
const whole = completed({ ...model, maxOutputTokens: 10, contextWindow: 10 }, backends)

test('what all workers see is put together, and who has left is not in it', async () => {
  await using resources = new AsyncDisposableStack()
  const redis = new Redis(inject('redisUrl'))
  resources.defer(() => redis.disconnect())
  const prefix = `test-${randomUUID()}`
  const onError = (error: unknown) => expect.unreachable(String(error))
  const standings = createBackendStandings(redis, prefix, catalogueOf(backends, [whole]))
  const healths = [createTargetHealth(), createTargetHealth()] as const
  healths[0].begin(whole.targets[0]!)?.answering()
  await createSlots(redis, prefix).acquire({ backend: 'gpu', attempt: 'a', limit: 4 }, never())
  const quota = resources.use(await openQuota(redis, prefix, onError))
  quota.close('vendor', 60_000)

  const one = publishHealth(redis, prefix, 'one', healths[0], onError)
  resources.use(publishHealth(redis, prefix, 'other', healths[1], onError))

  await expect.poll(async () => (await standings())[0]?.targets[0]?.workers).toHaveLength(1)
  expect(await standings()).toMatchObject([
    {
      name: 'gpu',
      slots: { limit: 4, inUse: 1 },
      targets: [
        {
          target: 'gpu/small',
          models: ['fast'],
          coolingMs: 0,
          workers: [{ worker: 'one', breaker: 'closed', successes: 1, failures: 0 }],
        },
      ],
    },
    { name: 'spare', slots: undefined, quotaGroup: 'vendor', targets: [{ quotaGroup: 'vendor', workers: [] }] },
  ])
  expect((await standings())[1]?.targets[0]?.coolingMs).toBeGreaterThan(50_000)

  await one[Symbol.asyncDispose]()
  expect((await standings())[0]?.targets[0]?.workers).toEqual([])
})
