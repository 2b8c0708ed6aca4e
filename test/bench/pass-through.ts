// The yardstick: the least a Node process between a client and a model server can do. It reads the request, sends it on
// over a pool of kept connections, and pipes the bytes of the answer back as they come. It knows no accounts, keeps no
// state, and forgets a request with its connection.
import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { Pool } from 'undici'
import { announce } from './announce.ts'

const upstream = new Pool(process.env['UPSTREAM'] ?? 'http://127.0.0.1:8000', { connections: 256 })

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const { url = '/', method = 'POST' } = request
    upstream
      .request({ path: url, method, headers: { 'content-type': 'application/json' }, body: Buffer.concat(parts) })
      .then(({ statusCode, headers, body }) => {
        response.writeHead(statusCode, passedOn(headers))
        pipeline(body, response, () => {})
      })
      // A client that has gone leaves nothing to answer.
      .catch(() => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  })
})
server.keepAliveTimeout = 120_000
announce(server)

function passedOn(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['content-type', 'content-length', 'cache-control']) {
    const value = headers[name]
    if (typeof value === 'string') kept[name] = value
  }
  return kept
}
