import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on the loopback, tells the parent process the port, and ends when told to or when the parent is gone. */
export function announce(server: Server, port = 0): void {
  server.listen(port, '127.0.0.1', () => {
    const bound = (server.address() as AddressInfo).port
    if (process.send) process.send({ type: 'ready', port: bound })
    else console.log(`http://127.0.0.1:${bound}/v1`)
  })
  process.on('SIGTERM', () => process.exit(0))
  process.on('disconnect', () => process.exit(0))
}
