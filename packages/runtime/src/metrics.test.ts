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
