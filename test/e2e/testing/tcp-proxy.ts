import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

export type TcpProxy = AsyncDisposable & {
  /** The server's address, with our port for its own. */
  url: string
  /** As if the server had been killed: connections are reset, new ones refused. */
  cut(): Promise<void>
  /** As if the server had been cut off by a firewall: connections stay, are accepted even, and nothing answers. */
  silence(): void
  /** The server is back. */
  restore(): Promise<void>
  /** Falls silent when something with this text is sent to the server, which never sees it; resolves then. */
  silenceAt(text: string): Promise<void>
}

type Pair = { client: Socket; server: Socket }

/** Stands between Weir and a server that all tests share, so that one test can lose it. */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<Pair>()
  let silent = false
  let trigger: { text: string; fire: () => void } | undefined

  const listener = createServer((client) => {
    const server = connect(Number(port), hostname)
    const pair = { client, server }
    pairs.add(pair)
    client.on('data', (bytes) => {
      if (trigger && bytes.includes(trigger.text)) {
        silence()
        trigger.fire()
        trigger = undefined
      } else server.write(bytes)
    })
    server.on('data', (bytes) => client.write(bytes))
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {})
      socket.once('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
    if (silent) pause(pair)
  })
  const listen = async (at: number) => void (await once(listener.listen(at, '127.0.0.1'), 'listening'))
  await listen(0)
  const { port: ours } = listener.address() as AddressInfo
  const url = new URL(target)
  url.host = `127.0.0.1:${ours}`

  function silence() {
    silent = true
    for (const pair of pairs) pause(pair)
  }

  async function cut() {
    if (!listener.listening) return
    const closed = once(listener, 'close')
    listener.close()
    for (const { client } of pairs) client.resetAndDestroy()
    await closed
  }

  return {
    url: url.href,
    cut,
    silence,
    async restore() {
      silent = false
      for (const { client, server } of pairs) {
        client.resume()
        server.resume()
      }
      if (!listener.listening) await listen(ours)
    },
    silenceAt: (text) => new Promise((resolve) => (trigger = { text, fire: resolve })),
    [Symbol.asyncDispose]: cut,
  }
}

function pause({ client, server }: Pair): void {
  client.pause()
  server.pause()
}
