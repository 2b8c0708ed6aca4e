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

/** What an orchestrator is told about a process that serves no clients; each says why where it is not `ok`. */
export type Probes = {
  /** Whether the process is worth keeping. */
  live: () => string
  /** Whether it does its work now. */
  ready: () => string
}

/**
 * Serves GET /metrics on a port of its own, apart from what clients reach, and with `probes` /healthz and /readyz. Without
 * a port nothing is served.
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port, probes }: { host: string; port: number | undefined; probes?: Probes },
): Promise<AsyncDisposable & { port: number | undefined }> {
  if (port === undefined) return { port, async [Symbol.asyncDispose]() {} }
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?')[0] : undefined
    const probe = path === '/healthz' ? probes?.live : path === '/readyz' ? probes?.ready : undefined
    if (probe) {
      const status = probe()
      const head = { 'content-type': 'application/json; charset=utf-8' }
      response.writeHead(status === 'ok' ? 200 : 503, head).end(JSON.stringify({ status }))
      return
    }
    if (path !== '/metrics') {
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
