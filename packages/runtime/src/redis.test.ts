import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, inject, test } from 'vitest'
import { isDependencyError } from './dependency-errors.ts'
import { openRedis } from './redis.ts'

const open = (kind: 'command' | 'subscriber' | 'blocking', url = inject('redisUrl'), timeoutMs = 60_000) =>
  openRedis(url, { kind, timeoutMs, onError: () => {} })
const failureOf = (command: Promise<unknown>) =>
  command.then(
    () => undefined,
    (error: unknown) => error,
  )

test.each(['command', 'subscriber', 'blocking'] as const)(
  'a %s connection is ready when it is opened',
  async (kind) => {
    await using redis = await open(kind)
    expect(redis.status).toBe('ready')
  },
)

test('a connection that was cut comes back by itself', async () => {
  await using redis = await open('command')
  await using other = await open('command')
  const back = once(redis, 'ready')

  await other.client('KILL', 'ID', await redis.client('ID'))
  await back

  expect(await redis.ping()).toBe('PONG')
})

test('a command past its time fails as a dependency', async () => {
  await using redis = await open('command', inject('redisUrl'), 200)
  const nobodyPushes = `test-${randomBytes(6).toString('hex')}`

  const failure = await failureOf(redis.blpop(nobodyPushes, 0))

  expect(isDependencyError(failure)).toBe(true)
})

test('a Redis that is away when it is opened is a dependency that is away', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()

  expect(isDependencyError(await failureOf(open('command', `redis://127.0.0.1:${port}`)))).toBe(true)
})
