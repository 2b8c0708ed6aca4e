import { expect, test } from 'vitest'
import { createMetrics, serveMetrics } from './metrics.ts'

test('metrics are served in the text format on a port of their own, and nothing else is', async () => {
  await using served = await serveMetrics(createMetrics(), { host: '127.0.0.1', port: 0 })

  const answer = await fetch(`http://127.0.0.1:${served.port}/metrics`)

  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(await answer.text()).toMatch(/^process_resident_memory_bytes \d/m)
  expect((await fetch(`http://127.0.0.1:${served.port}/v1/models`)).status).toBe(404)
})

test('without a port nothing is served', async () => {
  await using served = await serveMetrics(createMetrics(), { host: '127.0.0.1', port: undefined })

  expect(served.port).toBeUndefined()
})

test('with probes the same port tells whether the process lives and is ready', async () => {
  let ready = 'starting'
  const probes = { live: () => 'ok', ready: () => ready }
  await using served = await serveMetrics(createMetrics(), { host: '127.0.0.1', port: 0, probes })
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${served.port}${path}`)
    return [answer.status, await answer.json()]
  }

  expect(await ask('/healthz')).toEqual([200, { status: 'ok' }])
  expect(await ask('/readyz')).toEqual([503, { status: 'starting' }])
  ready = 'ok'
  expect(await ask('/readyz')).toEqual([200, { status: 'ok' }])
})
