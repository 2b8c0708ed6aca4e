import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Registry, collectDefaultMetrics } from 'prom-client'

/** Where a process counts what it does: what is registered here can be scraped, in the Prometheus text format. */
export type Metrics = Registry

/** A registry that already knows the process itself: memory, CPU, event loop, garbage collection. */
export function createMetrics(): Metrics {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return metrics
}

/** Serves GET /metrics on a port of its own, apart from what clients reach. Without a port nothing is served. */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number | undefined },
): Promise<AsyncDisposable & { port: number | undefined }> {
  if (port === undefined) return { port, async [Symbol.asyncDispose]() {} }
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    metrics.metrics().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.requestTimeout = 10_000
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
