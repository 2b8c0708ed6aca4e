import { type Weir, openWeir } from '@weir/local/testing'
import type OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, openai, quick } from './testing/catalogue.ts'
import { type Shown, errorOf, rawCallsOf, shown, untilStatus } from './testing/completions.ts'
import { asking, customerOf, plainTextOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream), quick, hanging }),
    apiEnv: { WEIR_WAIT_MS: '1500', WEIR_BACKGROUND_TIMEOUT_MS: '100000' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const untouched = { balance: 100, reserved: 0, available: 100 }

async function customerWithCalls() {
  const customer = await customerOf(weir, { clientOptions: { maxRetries: 2 } })
  return { ...customer, ...rawCallsOf(weir, customer.apiKey) }
}

test('a client that prefers to wait a second is told after it where its completion is, which goes on', async () => {
  const { create, client, charges } = await customerWithCalls()
  const asked = create(asking('upstream'), { prefer: 'wait=1' })
  const call = await upstream.nextCall()

  const response = await asked
  const accepted = (await response.json()) as Shown

  expect(response.status).toBe(202)
  expect(response.headers.get('preference-applied')).toBe('wait=1')
  expect(response.headers.get('location')).toBe(`/v1/chat/completions/${accepted.id}`)
  expect(accepted).toMatchObject({ status: 'in_progress', choices: [] })
  call.say('Later.')
  call.finish()
  expect(plainTextOf(await untilStatus(client, accepted.id, 'completed'))).toBe('Later.')
  expect(await charges()).toEqual([0.003])
})

test('a client that prefers to wait gets the answer itself when it comes in time', async () => {
  const { create } = await customerWithCalls()

  const response = await create(asking('quick'), { prefer: 'wait=30' })

  expect(response.status).toBe(200)
  expect(plainTextOf((await response.json()) as OpenAI.ChatCompletion)).toMatch(/^Simulated/)
})

test('a client that prefers not to wait at all gets what background: true gives', async () => {
  const { create, client } = await customerWithCalls()

  const response = await create(asking('quick'), { prefer: 'respond-async' })
  const accepted = (await response.json()) as Shown

  expect(response.status).toBe(202)
  expect(response.headers.get('location')).toBe(`/v1/chat/completions/${accepted.id}`)
  expect(accepted).toMatchObject({ background: true, choices: [] })
  expect(plainTextOf(await untilStatus(client, accepted.id, 'completed'))).toMatch(/^Simulated/)
})

test('a call that outlasts the wait gets a 504 that clients do not repeat, goes on, and is charged once', async () => {
  const { client, charges } = await customerWithCalls()
  const asked = refusalOf(client.chat.completions.create(asking('upstream')))
  const call = await upstream.nextCall()

  const refusal = await asked

  expect(refusal).toMatchObject({ status: 504, code: 'wait_exceeded', type: 'server_error' })
  expect(refusal.headers?.get('x-should-retry')).toBe('false')
  const { completion_id: id } = refusal.error as { completion_id: string }
  expect(refusal.message).toContain(`/v1/chat/completions/${id}`)
  expect(await shown(client, id)).toMatchObject({ status: 'in_progress' })
  call.say('Later.')
  call.finish()
  expect(plainTextOf(await untilStatus(client, id, 'completed'))).toBe('Later.')
  expect(await charges()).toEqual([0.003])
})

test('a stream is not bound by the wait', async () => {
  const { client, create } = await customerWithCalls()
  const stream = await client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()
  const plain = create(asking('hanging'))

  // By then the wait is over for both.
  expect((await plain).status).toBe(504)
  call.say('Late.')
  call.finish()

  let text = ''
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
  expect(text).toBe('Late.')
})

test('a completion that does not end by its deadline expires, at its backend too, and is free', async () => {
  const { create, client, charges, credits } = await customerWithCalls()
  const response = await create({ ...asking('upstream'), background: true }, { 'x-weir-timeout': '1' })
  const { id, expires_at, created } = (await response.json()) as Shown
  const call = await upstream.nextCall()

  await call.closed

  expect(await untilStatus(client, id, 'expired')).toMatchObject({
    choices: [],
    error: { code: 'deadline_exceeded' },
    attempts: [{ outcome: 'expired' }],
  })
  expect(new Date(expires_at).getTime() / 1_000 - created).toBeLessThan(3)
  await expect.poll(credits, patiently).toEqual(untouched)
  expect(await charges()).toEqual([])
})

test('whoever sets the deadline pays for what was generated until then', async () => {
  const { create, client, charges } = await customerWithCalls()
  const response = await create({ ...asking('upstream'), background: true }, { 'x-weir-timeout': '1' })
  const { id } = (await response.json()) as Shown
  const call = await upstream.nextCall()
  call.say('One two three')

  await call.closed

  const error = { code: 'deadline_exceeded' }
  expect(await untilStatus(client, id, 'cancelled')).toMatchObject({ error, usage: { completion_tokens: 3 } })
  expect(await charges()).toEqual([0.012])
})

test('a plain call that does not end by its deadline is a 504 of another kind', async () => {
  const { create } = await customerWithCalls()

  const failure = await errorOf(await create(asking('hanging'), { 'x-weir-timeout': '0.2' }))

  expect(failure).toMatchObject({ status: 504, code: 'deadline_exceeded' })
})

test.each(['0', '-1', 'soon', '', '1e9', '100.1', 'NaN'])('%j is no timeout', async (seconds) => {
  const { create, credits } = await customerWithCalls()

  const refused = await errorOf(await create(asking('quick'), { 'x-weir-timeout': seconds }))

  expect(refused).toMatchObject({ status: 400, code: 'invalid_request', param: 'x-weir-timeout' })
  expect(await credits()).toEqual(untouched)
})
