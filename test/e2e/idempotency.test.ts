import { randomUUID } from 'node:crypto'
import { type Weir, openWeir } from '@weir/local/testing'
import type OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { rawCallsOf, untilStatus } from './testing/completions.ts'
import { asking, clientOf, customerOf, plainTextOf } from './testing/customer.ts'
import { eventsOf, listening } from './testing/events.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  const backends = {
    upstream: openai(upstream),
    quick,
  }
  weir = await openWeir({
    config: catalogueOf(backends),
    apis: 2,
    apiEnv: { WEIR_DISCONNECT_GRACE_MS: '50' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** A customer with a new key, and both replicas to send it to. */
async function keyedCustomer(credits = 100) {
  const customer = await customerOf(weir, { credits })
  const headers = { 'idempotency-key': randomUUID() }
  const [here, there] = weir.urls.map((url) => rawCallsOf(weir, customer.apiKey, url)) as [Calls, Calls]
  return { ...customer, headers, here, there, elsewhere: clientOf(customer.apiKey, weir.urls[1]!) }
}
type Calls = ReturnType<typeof rawCallsOf>

const replayed = (response: Response) => response.headers.get('idempotent-replayed')

test('a plain call with a key that was used is given the same answer, and is charged once', async () => {
  const { headers, here, there, charges } = await keyedCustomer()
  const first = await here.create(asking('quick'), headers)
  const body = await first.json()

  const second = await there.create(asking('quick'), headers)

  expect([first.status, replayed(first)]).toEqual([200, null])
  expect([second.status, replayed(second)]).toEqual([200, 'true'])
  expect(await second.json()).toEqual(body)
  expect(await charges()).toEqual([0.053])
})

test('a stream with a key that was used is told again event by event, and is charged once', async () => {
  const { headers, here, there, charges } = await keyedCustomer()
  const body = { ...asking('quick'), stream: true, stream_options: { include_usage: true } }
  const events = await Array.fromAsync(eventsOf(await here.create(body, headers)))

  const second = await there.create(body, headers)

  expect(replayed(second)).toBe('true')
  expect(await Array.fromAsync(eventsOf(second))).toEqual(events)
  expect(await charges()).toEqual([0.053])
})

test('a background completion with a key that was used is the same one', async () => {
  const { headers, here, there, client, charges } = await keyedCustomer()
  const body = { ...asking('quick'), background: true }
  const first = (await (await here.create(body, headers)).json()) as OpenAI.ChatCompletion
  const completed = await untilStatus(client, first.id, 'completed')

  const second = await there.create(body, headers)

  expect([second.status, replayed(second)]).toEqual([202, 'true'])
  expect(second.headers.get('location')).toBe(`/v1/chat/completions/${first.id}`)
  expect(await second.json()).toEqual(completed)
  expect(await charges()).toEqual([0.053])
})

test.each([{}, { stream: true }])('an answer outlives Redis for whoever sends its key again: %j', async (more) => {
  await using fresh = await openWeir({ config: catalogueOf({ quick }) })
  const { apiKey, charges } = await customerOf(fresh)
  const { create } = rawCallsOf(fresh, apiKey)
  const ask = () => create({ ...asking('quick'), ...more }, { 'idempotency-key': 'mine' })
  const textOfAnswer = async (response: Response) => {
    if (!('stream' in more)) return plainTextOf((await response.json()) as OpenAI.ChatCompletion)
    return (await Array.fromAsync(eventsOf(response))).map(({ text }) => text).join('')
  }
  const first = await textOfAnswer(await ask())

  await forgetEverything(fresh)

  expect(await textOfAnswer(await ask())).toBe(first)
  expect(await charges()).toEqual([0.053])
})

test.each([{}, { stream: true }, { background: true }])(
  'two first uses of a key at the same time, at two replicas, make one completion: %j',
  async (more) => {
    const { headers, here, there, charges, credits } = await keyedCustomer()
    const body = { ...asking('quick'), ...more }

    const both = await Promise.all([here, there, here, there].map(({ create }) => create(body, headers)))

    await Promise.all(both.map((response) => response.text()))
    expect(both.map(({ status }) => status)).toEqual(both.map(() => ('background' in more ? 202 : 200)))
    expect(new Set(both.map((response) => response.headers.get('x-weir-completion-id'))).size).toBe(1)
    expect(both.filter((response) => replayed(response) === null)).toHaveLength(1)
    await expect.poll(async () => (await credits()).reserved, patiently).toBe(0)
    expect(await charges()).toEqual([0.053])
  },
)

test('whoever uses a key while its call runs waits for the same answer', async () => {
  const { headers, here, there, charges } = await keyedCustomer()
  const first = here.create(asking('upstream'), headers)
  const call = await upstream.nextCall()
  const second = there.create(asking('upstream'), headers)
  const third = here.create(asking('upstream'), headers)

  call.say('One for all.')
  call.finish()

  const answers = await Promise.all([first, second, third])
  const bodies = await Promise.all(answers.map(async (each) => (await each.json()) as OpenAI.ChatCompletion))
  expect(bodies.map(plainTextOf)).toEqual(['One for all.', 'One for all.', 'One for all.'])
  expect(bodies[1]).toEqual(bodies[0])
  expect(await charges()).toEqual([0.003])
})

test('whoever uses a key while its stream runs is told all of it, from its first word', async () => {
  const { headers, here, there, charges } = await keyedCustomer()
  const body = { ...asking('upstream'), stream: true }
  const first = listening(here.create(body, headers))
  const call = await upstream.nextCall()
  call.say('One ')
  await expect.poll(first.text, patiently).toBe('One ')
  const second = listening(there.create(body, headers))
  await expect.poll(second.text, patiently).toBe('One ')

  call.say('for all.')
  call.finish()
  await Promise.all([first.end, second.end])

  expect(first.text()).toBe('One for all.')
  expect(second.events).toEqual(first.events)
  expect(await charges()).toEqual([0.003])
})

test.each([{}, { stream: true }])('a call with a key goes on when its client leaves: %j', async (more) => {
  const { headers, here, there, charges } = await keyedCustomer()
  const body = { ...asking('upstream'), ...more }
  const leave = new AbortController()
  const left = here.create(body, headers, leave.signal).catch(() => {})
  const call = await upstream.nextCall()
  // One without a key, which is cancelled by its leaving.
  const keyless = here.create(body, {}, leave.signal).catch(() => {})
  const another = await upstream.nextCall()

  leave.abort()
  await Promise.all([left, keyless, another.closed])
  call.say('It went on.')
  call.finish()

  const again = await there.create(body, headers)
  expect(replayed(again)).toBe('true')
  expect(await again.text()).toContain('It went on.')
  expect(await charges()).toEqual([0.003])
})

test('a client that times out and tries again by itself pays once', async () => {
  const { apiKey, headers, charges } = await keyedCustomer()
  let tries = 0
  const counting: typeof fetch = (...request) => {
    tries++
    return fetch(...request)
  }
  const impatient = clientOf(apiKey, weir.url, { timeout: 1_000, maxRetries: 20, fetch: counting })
  const asked = impatient.chat.completions.create(asking('upstream'), { headers })
  const call = await upstream.nextCall()
  await expect.poll(() => tries, patiently).toBe(3)
  call.say('Patience.')
  call.finish()

  const completion = await asked

  expect(plainTextOf(completion)).toBe('Patience.')
  expect(await charges()).toEqual([0.003])
  expect(await charges(completion.id)).toEqual([0.003])
})

/** How long after its deadline a completion is given up by those who wait for it. */
const MARGIN_MS = 2_500

test.each([false, true])(
  'a deadline that is over does not keep an answer from being given again (stream: %s)',
  async (stream) => {
    const { headers, here, there, charges } = await keyedCustomer()
    const body = { ...asking('quick'), stream }
    const first = await here.create(body, { ...headers, 'x-weir-timeout': '2' })
    const text = await first.text()
    const id = first.headers.get('x-weir-completion-id')!
    const { expires_at } = (await (await here.get(`/${id}`)).json()) as { expires_at: string }
    await expect.poll(() => Date.now() - Date.parse(expires_at), patiently).toBeGreaterThan(MARGIN_MS)

    const second = await there.create(body, headers)

    expect(second.status).toBe(200)
    expect(await second.text()).toBe(text)
    expect(await charges()).toHaveLength(1)
  },
)
