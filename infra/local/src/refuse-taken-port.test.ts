import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { refuseTakenMetricsPorts, refuseTakenPort } from './refuse-taken-port.ts'

test('a taken port is refused with the command that helps, and a free one is not', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  await expect(refuseTakenPort(port)).rejects.toThrow(`PORT=${port + 1} npm start`)
  await expect(refuseTakenMetricsPorts([0, port])).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is taken by another program. Choose another WEIR_METRICS_PORT; it takes two in a row.`,
  )
  server.close()
  await once(server, 'close')
  await refuseTakenPort(port)
  await refuseTakenMetricsPorts([port])
})
