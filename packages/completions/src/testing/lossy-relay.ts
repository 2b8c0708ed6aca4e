import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { type Relay, createRelay } from '@weir/relay'
import { type Redis, openRedis } from '@weir/runtime'
import { inject } from 'vitest'

/** What becomes of a command: it is not sent, or its reply is lost, with a reset or without a word. */
export type Loss = 'unsent' | 'reset' | 'silence'

/** So long a client waits for a connection that has fallen silent; where none does, so long that a busy machine does not seem to. */
const timeoutMsOf = (loss: Loss) => (loss === 'silence' ? 1_000 : 10_000)

/** A relay on a connection of its own, which is lost at the first call of one of its steps. */
export async function lossyRelay(prefix: string, step: 'claim' | 'letGo' | 'prepare', loss: Loss) {
  const resources = new AsyncDisposableStack()
  const proxy = resources.use(await openProxy(inject('redisUrl')))
  const options = { kind: 'command', timeoutMs: timeoutMsOf(loss), onError: () => {} } as const
  const redis = resources.use(await openRedis(proxy.url, options))
  const relay = createRelay(redis, { prefix, retentionMs: 60_000 })
  const call = relay[step] as (...given: unknown[]) => Promise<unknown>
  let isFirst = true

  async function lossyCall(...given: unknown[]) {
    if (isFirst) await proxy.lose(redis, loss)
    isFirst = false
    return call(...given)
  }

  return {
    relay: { ...relay, [step]: lossyCall } as Relay,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Stands between a client and Redis. */
async function openProxy(target: string) {
  const url = new URL(target)
  const clients = new Set<Socket>()
  /** What happens at the next reply. */
  let next: Loss | undefined

  const listener = createServer((client) => {
    const server = connect(Number(url.port), url.hostname)
    let isSilent = false
    clients.add(client)
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => {
      // A script that Redis has yet to learn has not run.
      if (next !== undefined && !bytes.toString().startsWith('-NOSCRIPT')) {
        if (next === 'reset') client.resetAndDestroy()
        isSilent = true
        next = undefined
      }
      if (!isSilent) client.write(bytes)
    })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {})
      socket.once('close', () => other.destroy())
    }
    client.once('close', () => clients.delete(client))
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const ours = new URL(target)
  ours.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`

  return {
    url: ours.href,
    async lose(redis: Redis, loss: Loss) {
      if (loss !== 'unsent') return void (next = loss)
      // Where a busy machine has lost it already, nothing can be sent either.
      if (redis.status !== 'ready') return
      const closed = new Promise((resolve) => redis.once('close', resolve))
      for (const client of clients) client.resetAndDestroy()
      await closed
    },
    async [Symbol.asyncDispose]() {
      const closed = once(listener, 'close')
      listener.close()
      for (const client of clients) client.destroy()
      await closed
    },
  }
}
