import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

export type Listener = AsyncDisposable & {
  host: string
  port: number
  /** How many have connected so far, whatever they said. */
  visitors(): Promise<number>
}

/** Somebody on this machine whom nobody is to visit. */
export async function openListener(host: string, port = 0): Promise<Listener> {
  let seen = 0
  let own = 0
  const server = createServer((socket) => {
    seen += 1
    socket.on('error', () => {}).destroy()
  })
  await once(server.listen(port, host), 'listening')
  const address = server.address() as AddressInfo

  return {
    host,
    port: address.port,
    async visitors() {
      // Visitors are let in one after another: once we were, so was everybody who came before.
      own += 1
      const visit = connect(address.port, host).resume()
      visit.on('error', () => {})
      await new Promise((resolve) => visit.once('close', resolve))
      return seen - own
    },
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

/** An address of this machine that hardly anybody else listens at, where it has more than one. */
export const ownLoopback = (): string =>
  process.platform === 'linux' ? `127.${[0, 0, 0].map(() => randomInt(1, 255)).join('.')}` : '127.0.0.1'
