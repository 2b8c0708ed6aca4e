import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Balancer = AsyncDisposable & {
  url: string
  /** Resolves once connections are given to all of these, and to no other. */
  serving(urls: readonly string[]): Promise<void>
}

const PROBE_MS = 50

/**
 * Gives each new connection to the next replica whose /readyz says 200, and understands nothing of what it carries: as a
 * Kubernetes Service does. `replicas` are all there have ever been; one that is gone is not ready.
 */
export async function openBalancer(replicas: () => readonly string[]): Promise<Balancer> {
  const sockets = new Set<Socket>()
  const stop = new AbortController()
  let ready: string[] = []
  let turn = 0

  const probing = (async () => {
    while (!stop.signal.aborted) {
      const probed = await Promise.all(replicas().map(async (url) => ((await isReady(url)) ? [url] : [])))
      ready = probed.flat()
      await sleep(PROBE_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()

  const server = createServer((client) => {
    const target = ready[turn++ % Math.max(1, ready.length)]
    if (!target) return void client.destroy()
    const replica = connect(Number(new URL(target).port), '127.0.0.1')
    client.pipe(replica).pipe(client)
    for (const [socket, other] of [
      [client, replica],
      [replica, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.once('close', () => sockets.delete(socket))
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async serving(urls) {
      const wanted = urls.toSorted().join()
      while (ready.toSorted().join() !== wanted) await sleep(PROBE_MS)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      server.close()
      for (const socket of sockets) socket.destroy()
      await probing
    },
  }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
    async (answer) => (await answer.arrayBuffer(), answer.ok),
    () => false,
  )
