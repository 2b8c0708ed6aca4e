import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { refuseTakenPort } from './refuse-taken-port.ts'

test('a taken port is refused with the command that helps, and a free one is not', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  await expect(refuseTakenPort(port)).rejects.toThrow(`PORT=${port + 1} npm start`)
  server.close()
  await once(server, 'close')
  await refuseTakenPort(port)
})
