import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { callsOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let held: Upstream
let weir: Weir

beforeAll(async () => {
  held = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ slow: { ...quick, latency_ms: 1_000 }, held: openai(held) }),
    apiEnv: { WEIR_METRICS_PORT: '0' },
    workerEnv: { WEIR_WORKER_CONCURRENCY: '1' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await held?.[Symbol.asyncDispose]()
})

const metric = async (name: string): Promise<string | undefined> => {
  const text = await (await fetch(`http://127.0.0.1:${weir.apis[0]!.metricsPort}/metrics`)).text()
  return new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]
}

test('a request that would wait beyond its deadline is refused at once, and one with more time is not', async () => {
  const { client, apiKey } = await customerOf(weir, { credits: 10_000 })
  const calls = callsOf(weir, apiKey)
  // Now the worker knows that a completion takes a second or more.
  await client.chat.completions.create(asking('slow'))
  const first = client.chat.completions.create(asking('held'))
  first.catch(() => {})
  const call = await held.nextCall()
  for (let i = 0; i < 5; i++) await calls.post('chat/completions', { ...asking('slow'), background: true })
  await expect.poll(() => metric('weir_queue_estimated_wait_seconds'), patiently).toMatch(/^[5-9]/)

  const hurried = { headers: { 'x-weir-timeout': '2' }, timeout: 60_000 }
  const refusal = await failureOf(client.chat.completions.create(asking('slow'), hurried))
  const patient = await calls.post<{ status: string }>('chat/completions', { ...asking('slow'), background: true })

  expect(refusal).toMatchObject({ status: 503, type: 'server_error', code: 'overloaded' })
  expect(refusal.error).toMatchObject({ estimated_wait_seconds: expect.any(Number) })
  const retryAfter = Number(refusal.headers?.get('retry-after'))
  // Five seconds or some more until its turn, less two that it has, and a fifth more or less.
  expect(retryAfter).toBeGreaterThanOrEqual(2)
  expect(retryAfter).toBeLessThanOrEqual(59)
  expect([patient.status, patient.body.status]).toEqual([202, 'queued'])
  expect(await metric('weir_queue_waiting_completions')).toBe('6')
  expect(await metric('weir_queue_worker_slots')).toBe('1')
  expect(await metric('weir_admission_refusals_total{reason="too_late",scope="all"}')).toBe('1')
  call.finish()
  await first
})
